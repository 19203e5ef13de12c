"""What cannot be turned with the pixels: it is taken out of a derived image, and named."""

from __future__ import annotations

import re

from pydicom.datadict import keyword_for_tag, private_dictionary_description
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from .attributes import sequences

#: Attributes of the standard that describe the old raster and cannot be brought onto the new one.
_OF_THE_RASTER = {
    "IconImageSequence": "icon",
    "SequenceOfUltrasoundRegions": "ultrasound regions",
    "GraphicAnnotationSequence": "graphic annotations",
    "ImageRotation": "display rotation",
    "ImageHorizontalFlip": "display flip",
    "FieldOfViewOrigin": "field of view origin",
    "FieldOfViewRotation": "field of view rotation",
    "FieldOfViewHorizontalFlip": "field of view flip",
    "TagAngleFirstAxis": "tag angles",
    "TagAngleSecondAxis": "tag angles",
    "MaskSubPixelShift": "mask shift",
}

#: Attributes that are wrong as soon as anything has changed.
_OF_THE_WHOLE = {
    "ImagePosition": "retired image position",
    "ImageOrientation": "retired image orientation",
    "DigitalSignaturesSequence": "digital signatures",
    "MACParametersSequence": "digital signatures",
}

#: A private attribute is kept where pydicom's dictionary has a name for it, it is a plain value, and
#: nothing in its name hints at a place, a direction or a raster.
_PLAIN = re.compile(r"A[EST]|CS|D[AST]|F[DL]|IS|LO|PN|S[HLS]|TM|U[ILS]")
_GEOMETRY = re.compile(
    r"unknown|position|location|\bloc\b|orient|direction|dir\.|angulat|rotat|angle|plane|normal|coord|corner|cent(er|re)"
    r"|offset|off ?cent|axis|axes|matrix|row|col(umn)?\b|fov|field of view|dimension|distance|spacing|voxel|resolution"
    r"|slice|stack|\bras\b|geometry|gradient|swap|flip|phase enc|table|view|plan|scout|header|protocol|pcs|anterior"
    r"|image size|area|zoom|shift|translation|transform|reserved|slop|bitmap|user",
    re.IGNORECASE,
)


def drop_what_cannot_turn(dataset: Dataset, *, pixels_turned: bool) -> list[str]:
    """Take out, in place and in all nested items, what would be wrong in a derived image.

    Parameters
    ----------
    pixels_turned:
        Whether the raster has changed, or only what the header says of its place.

    Returns
    -------
    What was taken out, in words, without repetitions.
    """
    names: set[str] = set()
    creators: set[str] = set()
    _drop(dataset, _OF_THE_WHOLE | (_OF_THE_RASTER if pixels_turned else {}), names, creators)
    return sorted(names) + [f"private data of {creator}" for creator in sorted(creators)]


def _drop(dataset: Dataset, wrong: dict[str, str], names: set[str], creators: set[str]) -> None:
    for tag in list(dataset.keys()):
        if tag.is_private:
            if not tag.is_private_creator and not _harmless(dataset, tag):
                creators.add(_creator(dataset, tag) or "an unnamed vendor")
                del dataset[tag]
            continue
        keyword = keyword_for_tag(tag)
        if keyword in wrong:
            names.add(wrong[keyword])
            del dataset[tag]
        elif 0x5000 <= tag.group < 0x5020 and "IconImageSequence" in wrong:
            # Retired curves are drawn onto the raster too.
            names.add("curves")
            del dataset[tag]
        elif tag == 0xFFFCFFFC:
            # Padding after the data set, which nobody misses.
            del dataset[tag]
    for sequence in sequences(dataset):
        if sequence.keyword != "OriginalAttributesSequence":
            for item in sequence.value:
                _drop(item, wrong, names, creators)
    for tag in list(dataset.keys()):
        # Names of vendors of whom nothing is left.
        if tag.is_private_creator and not any(
            t.group == tag.group and t.element >> 8 == tag.element for t in list(dataset.keys())
        ):
            del dataset[tag]


def _creator(dataset: Dataset, tag: BaseTag) -> str:
    element = dataset.get((tag.group, tag.element >> 8))
    return "" if element is None else str(element.value or "").strip()


def _harmless(dataset: Dataset, tag: BaseTag) -> bool:
    creator = _creator(dataset, tag)
    try:
        name = private_dictionary_description(tag, creator)
    except KeyError:
        return False
    return _PLAIN.fullmatch(dataset[tag].VR) is not None and not _GEOMETRY.search(name)
