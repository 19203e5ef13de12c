"""Make a data set a derived one: its own identity, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import UID, generate_uid

from ... import __version__
from ...orientation import Orientation
from .attributes import number, sequences
from .dataset import transfer_syntax
from .turn import Turn

#: Part of every new UID: to be raised when the same correction comes to write something else.
_GENERATION = "CMROrient 1"

#: Put after the description of the series.
SUFFIX = " (reoriented)"

#: Added to the number of the series, so that the derived one is listed after all that were acquired.
SERIES_NUMBER_STEP = 9000

_REORDERED = Code("REORDERED", "99CMRORIENT", "Pixels reordered without resampling")

#: Longest LO and ST values, largest IS value.
_LONG_STRING, _SHORT_TEXT, _LARGEST_INTEGER = 64, 1024, 2**31 - 1


def derived_uid(source: str, turn: Turn, role: str) -> str:
    """The UID of what a correction makes of something: the same for the same source and correction."""
    done = [str(int(turn.pixels)), str(int(turn.directions)), *(["renumbered"] if turn.renumbered else [])]
    return generate_uid(entropy_srcs=[_GENERATION, role, source, *done])


def make_derived(dataset: FileDataset, turn: Turn, lost: Sequence[str], *, instance: str, series: str) -> None:
    """Give a turned data set new UIDs, a description and a reference to its source, in place.

    The study and the patient stay. So does the frame of reference where every voxel keeps its place
    (pixels and directions turned alike). Otherwise the anatomy has moved in patient coordinates, and
    one frame of reference would promise that a place in the source and in the result shows the same
    tissue: it is replaced, by the same one for all that were off in the same way.

    Parameters
    ----------
    lost:
        What was taken out because it cannot be turned, in words.
    instance, series:
        What the new UIDs are made of: those of the source, or what stands for them.
    """
    reference, evidence = _reference(dataset), _evidence(dataset)
    dataset.SOPInstanceUID = derived_uid(instance, turn, "instance")
    dataset.SeriesInstanceUID = derived_uid(series, turn, "series")
    if dataset.get("ConcatenationUID"):
        dataset.ConcatenationUID = derived_uid(str(dataset.ConcatenationUID), turn, "concatenation")
    if dataset.get("FrameOfReferenceUID") and turn.pixels != turn.directions:
        dataset.FrameOfReferenceUID = _moved_frame(str(dataset.FrameOfReferenceUID), turn)
    for keyword in ("InstanceCreationDate", "InstanceCreationTime", "InstanceCreatorUID"):
        # They tell of the source; the day of this run would make two runs differ.
        if keyword in dataset:
            del dataset[keyword]
    _describe(dataset, turn, lost)
    if reference is not None and "SharedFunctionalGroupsSequence" in dataset:
        _describe_frames(dataset, reference, evidence)
    elif reference is not None:
        dataset.SourceImageSequence = [reference]
    dataset.ContributingEquipmentSequence = [*(dataset.get("ContributingEquipmentSequence") or []), _equipment()]
    _renew_meta(dataset)


def description(turn: Turn, lost: Sequence[str]) -> str:
    """What was done, for DerivationDescription, in ASCII whatever the file's character set."""
    if turn.pixels == turn.directions:
        place = "every voxel keeps its place in the patient"
    else:
        place = "the centre of each slice keeps its place in the patient"
    words = (
        f"CMROrient {__version__}: pixels turned by {_name(turn.pixels)}, direction cosines by"
        f" {_name(turn.directions)}, values unchanged; {place}."
    )
    if turn.renumbered:
        words += " Slices are numbered from the other end of the stack; each keeps its place."
    if lost:
        words += f" Taken out because it cannot be turned: {', '.join(lost)}."
    return words.encode("ascii", "replace").decode("ascii")


def _name(operation: Orientation) -> str:
    return operation.name.lower().replace("_", " ")


def _moved_frame(frame: str, turn: Turn) -> str:
    # How the anatomy moved in patient coordinates, whatever the order it is stored in.
    moved = turn.pixels.after(turn.directions.inverse)
    return generate_uid(entropy_srcs=[_GENERATION, "frame of reference", frame, str(int(moved))])


def _reference(dataset: Dataset) -> Dataset | None:
    """An item that refers to the source instance."""
    if not dataset.get("SOPClassUID") or not dataset.get("SOPInstanceUID"):
        return None
    item = Dataset()
    item.ReferencedSOPClassUID = str(dataset.SOPClassUID)
    item.ReferencedSOPInstanceUID = str(dataset.SOPInstanceUID)
    item.PurposeOfReferenceCodeSequence = [_code(codes.DCM.SourceImageForImageProcessingOperation)]
    return item


def _evidence(dataset: Dataset) -> Dataset:
    """The study and series of the source instance, as enhanced images want them."""
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = str(dataset.get("SOPClassUID") or "")
    instance.ReferencedSOPInstanceUID = str(dataset.get("SOPInstanceUID") or "")
    series.SeriesInstanceUID, series.ReferencedSOPSequence = str(dataset.get("SeriesInstanceUID") or ""), [instance]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = str(dataset.get("StudyInstanceUID") or ""), [series]
    return study


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def _describe(dataset: Dataset, turn: Turn, lost: Sequence[str]) -> None:
    enhanced = "SharedFunctionalGroupsSequence" in dataset
    kind = _as_list(dataset.get("ImageType"))
    # Enhanced images are PRIMARY by definition.
    dataset.ImageType = ["DERIVED", "PRIMARY" if enhanced else "SECONDARY", *kind[2:]]
    name = str(dataset.get("SeriesDescription") or "")[: _LONG_STRING - len(SUFFIX)]
    dataset.SeriesDescription = f"{name}{SUFFIX}".strip()
    series = number(dataset, "SeriesNumber")
    if series is not None and abs(series) < _LARGEST_INTEGER - SERIES_NUMBER_STEP:
        dataset.SeriesNumber = int(series) + SERIES_NUMBER_STEP
    words = description(turn, lost)[:_SHORT_TEXT]
    before = str(dataset.get("DerivationDescription") or "")[: max(_SHORT_TEXT - len(words) - 1, 0)]
    dataset.DerivationDescription = f"{before} {words}".strip()


def _describe_frames(dataset: Dataset, reference: Dataset, evidence: Dataset) -> None:
    """FrameType and the derivation of the frames of an enhanced image, shared by all."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for group in (shared, *(dataset.get("PerFrameFunctionalGroupsSequence") or [])):
        if "DerivationImageSequence" in group:
            del group.DerivationImageSequence
        for sequence in sequences(group):
            if sequence.keyword.endswith("FrameTypeSequence"):
                for item in sequence.value:
                    item.FrameType = ["DERIVED", *_as_list(item.get("FrameType"))[1:]]
    derivation = Dataset()
    # Enhanced images tell it of their frames.
    derivation.DerivationDescription = dataset.DerivationDescription
    del dataset.DerivationDescription
    derivation.DerivationCodeSequence = [_code(_REORDERED)]
    derivation.SourceImageSequence = [reference]
    shared.DerivationImageSequence = [derivation]
    dataset.SourceImageEvidenceSequence = [evidence]


def _equipment() -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [_code(Code("109103", "DCM", "Modifying Equipment"))]
    item.Manufacturer = "CMROrient"
    item.ManufacturerModelName = "CMROrient"
    item.SoftwareVersions = __version__
    return item


def _renew_meta(dataset: FileDataset) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = transfer_syntax(dataset)
    meta.MediaStorageSOPClassUID = UID(str(dataset.get("SOPClassUID") or ""))
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta


def _as_list(value: object) -> list[str]:
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str) else [str(one) for one in value]  # type: ignore[attr-defined]
