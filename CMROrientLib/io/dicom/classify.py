"""Which DICOM files are no short-axis images, by what they say of themselves.

Only what a file says in words or by its kind counts here. A header that names another plane is no
reason to leave an image alone: it may be the header that is wrong.
"""

from __future__ import annotations

import re

from pydicom.uid import UID

from .header import InstanceHeader

#: Storage classes without pixels, or whose pixels are no picture of the body in grey values.
_NOT_IMAGES = {
    "1.2.840.10008.1.3.10": "DICOMDIR",
    "1.2.840.10008.5.1.4.1.1.66": "raw data",
    "1.2.840.10008.5.1.4.1.1.66.4": "segmentation",
    "1.2.840.10008.5.1.4.1.1.66.5": "surface segmentation",
    "1.2.840.10008.5.1.4.1.1.30": "parametric map",
    "1.2.840.10008.5.1.4.1.1.4.2": "spectroscopy",
    "1.2.840.10008.5.1.4.1.1.481.2": "dose",
    "1.2.840.10008.5.1.4.1.1.481.3": "structure set",
    "1.2.840.10008.5.1.4.1.1.104.1": "encapsulated PDF",
}

#: The same by modality, for files whose storage class is private or missing.
_NOT_IMAGE_MODALITIES = {
    "SR": "structured report",
    "PR": "presentation state",
    "KO": "key object selection",
    "SEG": "segmentation",
    "RTSTRUCT": "structure set",
    "RTDOSE": "dose",
    "RTPLAN": "treatment plan",
    "REG": "registration",
    "DOC": "document",
    "ECG": "waveform",
    "RWV": "real-world value map",
}

#: What an image to correct may call itself: MR, and what Secondary Capture says.
_MODALITIES = frozenset({"", "MR", "OT", "SC"})

_LOCALIZER = re.compile(r"locali[sz](er|ers|ation)|scouts?|survey|locs?")
_SHORT_AXIS = re.compile(r"sa|sax|shax|shortax(is)?|kurzachse")
_LONG_AXIS = re.compile(r"la|lax|vla|hla|longax(is)?|langachse|[2-5](ch|cv|chamber)|(two|three|four)chamber|[lr]vot")

#: Numbers and what they count are one word, however they are written: "4 ch", "4-chamber", "four_chamber".
_JOINED = re.compile(r"\b(2|3|4|5|two|three|four|short|long)[ \-]*(chambers?|ch|cv|axis|ax)\b")


def left_alone(header: InstanceHeader) -> str | None:
    """Why a file is not an image to correct, in a few words; None where it is one."""
    reason = unreadable(header)
    if reason is not None:
        return reason
    if header.modality not in _MODALITIES:
        return f"not MR (modality {header.modality})"
    if "LOCALIZER" in header.image_type:
        return "localizer"
    return _said_in_words(header.description) or _said_in_words(header.protocol, unless=header.description)


def _name_of(sop_class: str) -> str:
    """What a class of objects is called; what is no UID is damage that nobody wants to read at length."""
    uid = UID(sop_class)
    return uid.name if uid.is_valid else "of a class that is no UID"


def unreadable(header: InstanceHeader) -> str | None:
    """Why a file cannot be a volume of grey values at all, whatever somebody wants with it."""
    kind = _NOT_IMAGES.get(header.sop_class) or _NOT_IMAGE_MODALITIES.get(header.modality)
    if kind is None and not header.has_pixels and header.rows == 0:
        kind = _name_of(header.sop_class) if header.sop_class else "no pixels"
    if kind is not None:
        return f"not an image ({kind})"
    if header.samples > 1 or header.photometric not in ("", "MONOCHROME1", "MONOCHROME2"):
        return f"colour image ({header.photometric or f'{header.samples} samples a pixel'})"
    if not header.parallel:
        return "slices in several planes, as localizers have them"
    return None


def _said_in_words(text: str, unless: str = "") -> str | None:
    """A localizer or a long-axis view by its name, unless another name calls it a short axis."""
    if _names(text, _LOCALIZER) and not _names(unless, _SHORT_AXIS):
        return f"localizer (“{text}”)"
    if _names(text, _LONG_AXIS) and not _names(text, _SHORT_AXIS) and not _names(unless, _SHORT_AXIS):
        return f"long-axis view (“{text}”)"
    return None


def _names(text: str, kind: re.Pattern[str]) -> bool:
    """Whether one of the words of a description is of a kind."""
    joined = _JOINED.sub(
        lambda found: found[1] + (found[2] if found[2] == "axis" else found[2].rstrip("s")),
        text.lower().replace("_", " "),
    )
    return any(kind.fullmatch(word) for word in re.split(r"[^a-z0-9]+", joined))
