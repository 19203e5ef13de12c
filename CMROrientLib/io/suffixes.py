"""The suffixes of the formats, as users write them."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CMROrientError

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")

#: Headers whose voxels lie in files of their own.
DETACHED_SUFFIXES = (".nhdr", ".mhd")

#: DICOM files often have none of these.
DICOM_SUFFIXES = (".dcm", ".ima")

#: Pictures for the screen: a slice in them has lost what a file for patients' images says of it.
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")

_KINDS = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "metaimage",
    ".mhd": "metaimage",
}

#: The one suffix of two parts.
_LONG = ".nii.gz"
_LONGEST = len(_LONG)


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The format's suffix in small letters, both parts of ``.nii.gz``; empty where it is none of ours."""
    # The end of the text is the end of the name: paths are none of those that end in a slash.
    end = os.fspath(path).rstrip("/")[-_LONGEST:].lower()
    if end == _LONG:
        return end
    # This is asked many thousand times.
    suffix = end[end.rfind(".") :] if "." in end else ""
    return suffix if suffix in _KINDS else ""


def without_suffix(path: str | os.PathLike[str]) -> Path:
    """The path less the format's suffix, both parts of ``.nii.gz``."""
    path = Path(path)
    suffix = suffix_of(path)
    return path.with_name(path.name[: -len(suffix)]) if suffix and suffix != path.name.lower() else path


def stem_of(path: str | os.PathLike[str]) -> str:
    """The name of a path less the format's suffix."""
    name = os.path.basename(os.fspath(path))  # noqa: PTH119 (many thousand times)
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix and suffix != name.lower() else name


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """``nifti``, ``nrrd`` or ``metaimage`` by the suffix, None for any other."""
    return _KINDS.get(suffix_of(path))


def unknown_format(path: Path, *, reading: bool = False) -> CMROrientError:
    """The error for a file that is in none of the formats; of a picture that is read it says what it lacks."""
    if reading and path.suffix.lower() in _PICTURES:
        return CMROrientError(
            f"is in no known format: a {path.suffix[1:].upper()} is a picture without the spacing, the position and "
            "the other slices of the heart; give the file or folder that it was made from "
            f"({', '.join(SUFFIXES)} or DICOM)",
            path,
        )
    advice = "convert it to one of these" if reading else "give it one of these endings"
    return CMROrientError(f"is in no known format: known are {', '.join(SUFFIXES)} and DICOM; {advice}", path)
