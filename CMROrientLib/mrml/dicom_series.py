"""Back to DICOM: the derived series of an image that was loaded from Slicer's DICOM database.

The files of the database are read, turned and written by the library's own reader and writer, so that
each keeps its header; the voxels of the node only have to show the same picture. What they claim of
their place is read from the files, as everywhere outside of Slicer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..correction import Correction, GeometryMode, plan
from ..errors import CMROrientError
from ..i18n import _
from ..orientation import Orientation
from ..recognition.recognizer import decided
from ..recognition.result import Recognition
from ..volume import Volume
from .dicom_database import DicomDatabase, files_of, not_open, why_not_from
from .input import SceneImage, of_the_same_frames, scene_image, volume_of, why_not
from .node_types import Node
from .provenance import Made, made_of
from .same_pictures import show_the_same

if TYPE_CHECKING:
    from ..progress import Progress


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """A series of the database, and what is to be done to it.

    Parameters
    ----------
    name:
        Of the node that people know it by.
    volume:
        As its files hold it.
    result:
        The class that is acted on, held against the header of the files.
    correction:
        What is done to pixels and directions.
    """

    name: str
    volume: Volume
    result: Recognition
    correction: Correction


@dataclass(frozen=True)
class SavedSeries:
    """What is in the database now.

    Parameters
    ----------
    series:
        The SeriesInstanceUID.
    description:
        The SeriesDescription, by which people find it.
    files:
        How many files it has.
    known:
        Whether all of them were there before.
    """

    series: str
    description: str
    files: int
    known: bool


def why_no_series(node: Node | None, database: DicomDatabase | None) -> str | None:
    """Why no derived series can be made of a node, as a sentence that says what to do; None where it can."""
    unusable = why_not(node)
    if node is None or unusable is not None:
        return unusable
    made = _made_of(node)
    if made is None:
        return why_not_from(scene_image(node), database)
    if made.source is None:
        return _("The image that this one was made of is no longer in the scene. Load it again and correct it.")
    if _made_of(made.source) is not None:
        return _("This image was corrected more than once. Select the first of them, which came from DICOM.")
    return why_not(made.source) or why_not_from(scene_image(made.source), database)


def _made_of(node: Node) -> Made | None:
    # The references of a cine are on its sequence and its proxy alike; the frame's copy on the proxy has none.
    return made_of(node) if made_of(node) is None else made_of(scene_image(node).main)


def dicom_series(
    node: Node | None,
    database: DicomDatabase | None,
    orientation: Orientation | None = None,
    geometry: GeometryMode = "auto",
    target: Orientation | int = 0,
    progress: Progress | None = None,
) -> DicomSeries:
    """Read the files that an image was loaded from, and plan their correction.

    Parameters
    ----------
    node:
        An image that was loaded from DICOM, or what was made of one here: it says itself what was done.
    orientation:
        The class of the image; not needed for a result.
    progress:
        Called with (files read, files to read), and with (0, 0) before each frame of a cine is read, and each slice
        compared with its file; what it raises ends the work.

    Raises
    ------
    CMROrientError
        Where there are no such files, they do not show what the node shows, or nothing is to be corrected.
    """
    why = why_no_series(node, database)
    if node is None or why is not None:
        raise CMROrientError(str(why), None if node is None else node.GetName())
    made = _made_of(node)
    if made is not None and made.source is not None:
        node, orientation, geometry, target = made.source, made.orientation, made.geometry, made.target
    image = scene_image(node)
    if orientation is None:
        raise CMROrientError(_("nothing was decided yet; recognize it first, or give its orientation"), image.name)
    volume = _read(image, database, progress)
    result = decided(volume, orientation)
    correction = plan(orientation, volume.header_orientation(orientation), geometry, target)
    if correction.changes_nothing:
        raise CMROrientError(_("there is nothing to correct in its DICOM files"), image.name)
    return DicomSeries(image.name, volume, result, correction)


def save_series(
    series: DicomSeries,
    database: DicomDatabase | None,
    import_folder: Callable[[Path], None],
    progress: Progress | None = None,
) -> SavedSeries:
    """Write the derived series and have the database take copies of its files.

    Parameters
    ----------
    import_folder:
        Lets the database take copies of all files of a folder; it ends when that is done.
    progress:
        Called with (files written, files to write); what it raises ends the work.

    Raises
    ------
    CMROrientError
        Where something cannot be written, or the database did not take it. The database is then as it was.
    """
    from ..io.dicom.dataset import read_without_pixels
    from ..io.dicom.write import write_dicom

    if database is None or not database.isOpen:
        raise CMROrientError(not_open())
    # Virus scanners and indexers of Windows may hold on to a file for a moment.
    with tempfile.TemporaryDirectory(prefix="cmrorient-", ignore_cleanup_errors=True) as folder:
        written = write_dicom(series.correction.apply(series.volume), folder, progress)
        headers = [read_without_pixels(path) for path in written]
        uid, description = str(headers[0].SeriesInstanceUID), str(headers[0].get("SeriesDescription") or "")
        instances = [str(header.SOPInstanceUID) for header in headers]
        saved = SavedSeries(uid, description, len(written), _has_all(database, instances))
        if saved.known:
            return saved
        held_before = bool(database.filesForSeries(uid))
        try:
            import_folder(Path(folder))
            if not _has_all(database, instances):
                said = _("Slicer's DICOM database did not take the series. Is its folder writable, the disk full?")
                raise CMROrientError(said, series.name)
        except BaseException:
            if not held_before and database.filesForSeries(uid):
                database.removeSeries(uid)
            raise
        return saved


def _has_all(database: DicomDatabase, instances: list[str]) -> bool:
    paths = [str(database.fileForInstance(instance)) for instance in instances]
    return all(path and Path(path).is_file() for path in paths)


def _read(image: SceneImage, database: DicomDatabase | None, progress: Progress | None) -> Volume:
    from ..io.dicom.read import read_dicom

    files = files_of(image, database)
    shown = volume_of(image, None, progress)
    volume = read_dicom(files, progress=progress)
    same = shown.slice_axis == 2 and show_the_same(image, shown, volume, progress)
    # The progress may have let people do something.
    of_the_same_frames(image)
    if not same:
        raise CMROrientError(
            _(
                "this image no longer shows its DICOM files slice by slice: it was cropped, resampled or edited since "
                "it was loaded. Save it as a file instead (File, Save Data), or load the series again"
            ),
            image.name,
        )
    return volume
