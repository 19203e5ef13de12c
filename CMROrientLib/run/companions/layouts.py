"""Where the label maps of an image lie, by the layout of its data set. Names only, no files.

All names are relative to the path that was given, without the format's suffix.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

from ..options import NamePattern

#: nnU-Net: images lie in imagesTr, imagesTs, imagesVal …, their label maps in labelsTr, labelsTs, labelsVal …
_NNUNET = re.compile(r"images([A-Z]\w*)")
_NNUNET_LABELS = re.compile(r"labels[A-Z]\w*")

#: nnU-Net: the channel of a case.
_CHANNEL = re.compile(r"(.+)_(\d{4})")

#: Folders of images, and the sibling folders of their label maps, in small letters.
IMAGE_FOLDERS = frozenset({"image", "images", "img", "imgs", "volume", "volumes", "scans"})
LABEL_FOLDERS = frozenset(
    {
        *("label", "labels", "labelmap", "labelmaps", "mask", "masks", "annotation", "annotations"),
        *("seg", "segs", "segmentation", "segmentations", "gt", "groundtruth", "ground_truth"),
    }
)

#: What a label map's name may have behind its image's in a folder that is for label maps anyway.
_ENDINGS = ("_seg", "_mask", "_label", "_labels", "_gt", "_segmentation")


def channel_of(path: PurePosixPath) -> tuple[PurePosixPath, str] | None:
    """Case and channel of an image in an nnU-Net folder: ``imagesTr/x_0001`` gives ``imagesTr/x`` and ``0001``.

    Elsewhere four digits may be anything, a year or a number of a patient.
    """
    found = _CHANNEL.fullmatch(path.name)
    if found is None or not any(_NNUNET.fullmatch(part) for part in path.parent.parts):
        return None
    return path.with_name(found[1]), found[2]


def data_set_of(folder: str) -> str | None:
    """The folder of the data set that a folder of images belongs to; None where its layout has none for images."""
    parts = folder.split("/")
    for place in reversed(range(len(parts))):
        if _is_image_folder(parts[place]):
            return "/".join(parts[:place])
    return None


def without_layout(path: PurePosixPath) -> PurePosixPath:
    """A name without the folders that only tell images and label maps apart."""
    kept = [part for part in path.parent.parts if not (_is_image_folder(part) or _is_label_folder(part))]
    return PurePosixPath(*kept, path.name)


def in_label_folder(path: PurePosixPath) -> bool:
    """Whether a name lies in a folder that layouts have for label maps."""
    return holds_labels(path.parent.as_posix())


def holds_labels(folder: str) -> bool:
    """Whether layouts have a folder, or one above it, for label maps."""
    return any(_is_label_folder(part) for part in folder.split("/"))


def _is_image_folder(name: str) -> bool:
    return name.lower() in IMAGE_FOLDERS or _NNUNET.fullmatch(name) is not None


def _is_label_folder(name: str) -> bool:
    return name.lower() in LABEL_FOLDERS or _NNUNET_LABELS.fullmatch(name) is not None


def places(image: PurePosixPath, folders: Collection[PurePosixPath]) -> Iterator[PurePosixPath]:
    """Where the label maps of an image are, where the layout is nnU-Net's or that of sibling folders.

    Parameters
    ----------
    folders:
        All folders that hold files.
    """
    parts = image.parent.parts
    for place in reversed(range(len(parts))):
        above, below = PurePosixPath(*parts[:place]), parts[place + 1 :]
        nnunet = _NNUNET.fullmatch(parts[place])
        if nnunet is not None:
            yield above.joinpath(f"labels{nnunet[1]}", *below)
        elif parts[place].lower() in IMAGE_FOLDERS:
            for folder in sorted(folders):
                same_depth = len(folder.parts) == len(parts) and folder.parts[place + 1 :] == below
                if (
                    same_depth
                    and folder.parts[:place] == parts[:place]
                    and folder.parts[place].lower() in LABEL_FOLDERS
                ):
                    yield folder


def places_in(image: PurePosixPath, masks_in: Sequence[str]) -> Iterator[PurePosixPath]:
    """The folders that a person named: beside one of the image's folders, or in the image's own."""
    parts = image.parent.parts
    for named in masks_in:
        yield image.parent / named
        for place in reversed(range(len(parts))):
            yield PurePosixPath(*parts[:place], named, *parts[place + 1 :])


def names(image: PurePosixPath, patterns: Sequence[NamePattern]) -> list[str]:
    """What the label map of an image may be called in a folder of its own, the likeliest first."""
    told = [label for pattern in patterns if (label := pattern.label_of(image.name)) is not None]
    case = channel_of(image)
    plain = [image.name] if case is None else [case[0].name, image.name]
    return list(dict.fromkeys([*told, *plain, *(name + ending for name in plain for ending in _ENDINGS)]))


def is_named_after(label: str, image: str) -> bool:
    """Whether a name in the same folder is an image's with something before or behind it."""
    return image in named_after(label)


def named_after(label: str) -> set[str]:
    """The names that a name in the same folder may be made of, with something before or behind it."""
    marks = [place for place, character in enumerate(label) if character in "_-. "]
    return {part for place in marks for part in (label[:place], label[place + 1 :])}
