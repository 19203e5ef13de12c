"""The way back: segmentations made on corrected images, put onto the grids of the originals."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath

from ..errors import CMROrientError, UsageError
from ..io import ImageFiles, find, read_source, suffix_of, without_suffix, write
from ..io.one_file import names_in
from ..io.paths import check_places, long_path, relative
from ..io.read_write import files_made, files_written
from ..io.suffixes import DICOM_SUFFIXES
from ..progress import ItemProgress
from ..run.record import Key, Record
from ..run.store import read_records, read_sources
from ..volume import Volume
from .grid import WayBack
from .layouts import OtherNames
from .segments import with_turned_segments
from .targets import Targets

#: Slicer's own ending of segmentation files; taken off like a format's suffix.
_SLICER_ENDING = ".seg"

#: So many names are shown where none fits.
_SHOWN = 3


@dataclass(frozen=True)
class Restored:
    """What became of one segmentation.

    Parameters
    ----------
    path:
        The segmentation, relative to the folder that was given.
    output:
        What was written, relative to the destination; None where it was refused.
    image:
        The original's path in the record, None where there is none.
    error:
        Why it was refused, one line, or None.
    image_name:
        The original as people know it: the series of a given folder goes by the folder's name.
    """

    path: str
    output: str | None = None
    image: str | None = None
    error: str | None = None
    image_name: str | None = None


@dataclass(frozen=True)
class _Match:
    """A segmentation, the records that have its path, and what it is going to be.

    ``folder_name`` stands for ".", the given folder itself. Where there is no such record, ``hint`` is the
    suffix that is perhaps missing, and ``expected`` the names that would be taken, the most similar first.
    """

    source: ImageFiles
    name: str
    records: tuple[Record, ...]
    output: str
    target: Path
    folder_name: str
    hint: str = ""
    expected: tuple[str, ...] = ()


def restore(
    out: str | os.PathLike[str],
    segmentations: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    suffix: str = "",
    *,
    overwrite: bool = False,
    progress: ItemProgress[Restored] | None = None,
) -> list[Restored]:
    """Put segmentations of corrected images onto the grids of the originals.

    A segmentation belongs to the corrected image that has its path: both relative to the folders
    that are given, without extensions, ``suffix`` taken off the segmentation's name. A DICOM series
    goes by its folder, or by its SeriesInstanceUID in that folder. Where there is none of that path, the names
    of data sets count: nnU-Net's case for its channels, entities of BIDS, sibling folders. Every result keeps the
    segmentation's path and format; for DICOM originals it is a ``.nii.gz``.

    Parameters
    ----------
    out:
        The output folder of a run of ``correct``, with its record.
    segmentations:
        A folder of NIfTI, NRRD or MetaImage files, or one such file. They are not changed.
    destination:
        The folder to write to.
    suffix:
        Ending of the segmentations' names before the extension, such as ``_seg``. Files without
        it are passed over.
    overwrite:
        Replace files that are there already.
    progress:
        Called after each segmentation.

    Returns
    -------
    What became of each segmentation, in the order of their names.

    Raises
    ------
    UsageError
        Before anything is written: no record, no segmentation, a destination inside the inputs,
        files in the way, or two segmentations that would write one file.
    """
    place, root, folder = Path(out), Path(segmentations), Path(destination)
    pairs, targets = _plan(place, root, folder, suffix, overwrite)
    done = []
    for pair in pairs:
        done.append(_restore_one(pair, targets))
        if progress is not None:
            progress(done[-1], len(done), len(pairs))
    return done


def _plan(out: Path, root: Path, folder: Path, suffix: str, overwrite: bool) -> tuple[list[_Match], Targets]:
    for given in (out, root):
        if not given.exists():
            raise UsageError("there is no such file or folder", given)
    check_places([out, root], folder)
    try:
        records, origins = read_records(out), read_sources(out)
        sources = [source for source in find(root) if source.kind != "dicom"]
    except CMROrientError as error:
        raise UsageError(error.message, error.path) from error
    base = root if root.is_dir() else root.parent
    folder_names = [*sorted({path.name for (name, _), path in origins.items() if name == "."}), out.resolve().name]
    by_key = _by_key(records, folder_names)
    taken = _taken(by_key, suffix)
    other_names = OtherNames(records)
    pairs = []
    for source in sources:
        name = relative(source.path, base)
        key = _stem(name)
        if not PurePosixPath(key).name.endswith(suffix):
            continue
        key = key[: len(key) - len(suffix)]
        found = tuple(by_key.get(key) or other_names.find(key))
        output = _target_name(name, found)
        hint = "" if found else _missing_suffix(_stem(name), by_key)
        names = () if found else tuple(_similar_first(taken, name))
        pairs.append(_Match(source, name, found, output, long_path(folder / output), folder_names[0], hint, names))
    if not pairs:
        ending = f" whose name ends in '{suffix}' before its extension" if suffix else ""
        advice = _would_take(taken) or "; give the folder that holds them"
        raise UsageError(f"there is no NIfTI, NRRD or MetaImage segmentation{ending}{advice}", root)
    known = (record.files.sha256_in for record in records)
    digests = [digest for digest in known if digest]
    targets = Targets(origins.values(), digests, overwrite=overwrite, name_of=names_in(folder))
    for pair in pairs:
        targets.claim(files_made(pair.source, pair.target), pair.name)
    return pairs, targets


def _by_key(records: Sequence[Record], folder_names: Sequence[str]) -> dict[str, list[Record]]:
    """Records by every path without extension that a segmentation of theirs may have.

    Parameters
    ----------
    folder_names:
        What the series of the given folder itself goes by.
    """
    found: dict[str, list[Record]] = {}
    for record in records:
        # What was not written has its name all the same: the refusal then tells why there is no image.
        path = record.output if record.output is not None else record.path
        if path == ".":
            keys = [*folder_names]
        elif record.files.kind == "dicom" and PurePosixPath(path).suffix.lower() not in DICOM_SUFFIXES:
            # A folder, or a file without extension: dots belong to its name.
            keys = [path]
        else:
            keys = [_stem(path)]
        if record.series is not None:
            keys.append(record.series if path == "." else f"{path}/{record.series}")
        for key in dict.fromkeys(keys):
            found.setdefault(key, []).append(record)
    return found


def _taken(by_key: Mapping[str, Sequence[Record]], suffix: str) -> list[str]:
    """A name for each image that was written, under which its segmentation would be taken."""
    names: dict[Key, str] = {}
    for key, records in by_key.items():
        written = [record for record in records if record.output is not None]
        # Series that share a folder are told apart by their UIDs.
        if len(written) == 1:
            ending = ".nii.gz" if written[0].files.kind == "dicom" else suffix_of(written[0].output or "")
            names.setdefault(written[0].key, f"{key}{suffix}{ending}")
    return sorted(names.values())


def _similar_first(names: Sequence[str], name: str) -> list[str]:
    return sorted(names, key=lambda other: -SequenceMatcher(None, other, name).quick_ratio())


def _would_take(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; the run's images would take {', '.join(names[:_SHOWN])}{more} (or another format)"


def _stem(name: str) -> str:
    """A path below a folder without its extension."""
    path = PurePosixPath(name)
    if path.suffix.lower() in DICOM_SUFFIXES:
        return path.with_suffix("").as_posix()
    stem = without_suffix(name).name
    if stem.lower().endswith(_SLICER_ENDING) and len(stem) > len(_SLICER_ENDING):
        stem = stem[: -len(_SLICER_ENDING)]
    return path.with_name(stem).as_posix()


def _missing_suffix(key: str, keys: Iterable[str]) -> str:
    """What has to be taken off for the name to be one of the run's images."""
    endings = [key[len(known) :] for known in keys if key.startswith(known) and "/" not in key[len(known) :]]
    return min(endings, key=len, default="")


def _is_slicer(name: str) -> bool:
    return name.lower().endswith((".seg.nrrd", ".seg.nhdr"))


def _target_name(name: str, records: Sequence[Record]) -> str:
    if not any(record.files.kind == "dicom" for record in records) or suffix_of(name) in (".nii", ".nii.gz"):
        return name
    return f"{name[: -len(suffix_of(name))]}.nii.gz"


def _restore_one(pair: _Match, targets: Targets) -> Restored:
    image = pair.records[0].path if len(pair.records) == 1 else None
    try:
        if not pair.records:
            raise CMROrientError(_lonely(pair))
        volume = read_source(pair.source)
        layered = _is_slicer(pair.name)
        record, way = _way_for(pair, volume, layered)
        image = record.path
        restored = way.restore(volume, layered=layered)
        if layered:
            restored = with_turned_segments(volume, restored, way)
        # One that got another header than it had may have its voxels under another name.
        targets.check(files_written(restored, pair.target), pair.name)
        write(restored, pair.target)
    except CMROrientError as error:
        return Restored(pair.name, image=image, error=" ".join(error.message.split()))
    except MemoryError:
        return Restored(pair.name, image=image, error="there is not enough memory for it")
    return Restored(pair.name, pair.output, image, image_name=pair.folder_name if image == "." else image)


def _way_for(pair: _Match, volume: Volume, layered: bool) -> tuple[Record, WayBack]:
    """The one record whose corrected image the segmentation fits; several series may share a folder."""
    fitting, reasons = [], []
    for record in pair.records:
        try:
            way = WayBack.of(record)
            way.restore(volume, layered=layered)
            fitting.append((record, way))
        except CMROrientError as error:
            reasons.append(error.message)
    if not fitting:
        raise CMROrientError("; ".join(dict.fromkeys(reasons)))
    same_format = [entry for entry in fitting if suffix_of(entry[0].output or "") == suffix_of(pair.name)]
    if len(fitting) > 1 and len(same_format) == 1:
        return same_format[0]
    if len(fitting) > 1 and _are_one_case([record for record, _ in fitting]):
        # A label map follows the first channel of its case.
        return fitting[0]
    if len(fitting) > 1:
        shown = (replace(r, path=pair.folder_name) if r.path == "." else r for r, _ in fitting)
        names = ", ".join(record.name for record in shown)
        raise CMROrientError(f"it fits several images of the run ({names}); name it after the series' UID")
    return fitting[0]


def _are_one_case(records: Sequence[Record]) -> bool:
    """Whether images were decided on together and lie on one grid, so that one segmentation is for all."""
    groups = {None if record.group is None else (record.group.kind, record.group.name) for record in records}
    return len(groups) == 1 and None not in groups


def _lonely(pair: _Match) -> str:
    text = "the run's record has no image of this path"
    if pair.hint:
        return f"{text}; perhaps --suffix {pair.hint} is needed"
    return f"{text}{_would_take(pair.expected) or '; name it after its image'}"
