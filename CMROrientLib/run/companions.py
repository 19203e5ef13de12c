"""Masks beside images: which belongs to which, and whether it fits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import CMROrientError
from ..io import ImageFiles, find, without_suffix
from ..io.suffixes import kind_of
from ..volume import Volume


@dataclass(frozen=True)
class Companion:
    """One mask of an image, and its name relative to the path that was given."""

    source: ImageFiles
    name: str


@dataclass(frozen=True)
class Paired:
    """Images without the masks among them.

    Parameters
    ----------
    images:
        What is to be corrected.
    masks:
        The masks of an image, by its path.
    lonely:
        Masks whose image is not there.
    """

    images: list[ImageFiles]
    masks: dict[Path, list[ImageFiles]] = field(default_factory=dict)
    lonely: list[Path] = field(default_factory=list)


def pair_masks(sources: Sequence[ImageFiles], endings: Sequence[str]) -> Paired:
    """Tell masks from images by their names.

    ``case.nii.gz`` has the mask ``case_seg.nrrd`` in its folder where ``_seg`` is among the
    endings; the formats may differ.
    """
    stems: dict[Path, list[ImageFiles]] = defaultdict(list)
    for source in sources:
        if source.kind != "dicom":
            stems[_stem(source.path)].append(source)
    images: list[ImageFiles] = []
    masks: dict[Path, list[ImageFiles]] = defaultdict(list)
    lonely: list[Path] = []
    for source in sources:
        stem = _stem(source.path)
        ending = next((e for e in endings if source.kind != "dicom" and stem.name.endswith(e)), None)
        if ending is None:
            images.append(source)
            continue
        owners = stems.get(stem.with_name(stem.name[: -len(ending)])) if len(stem.name) > len(ending) else None
        if owners:
            for owner in owners:
                masks[owner.path].append(source)
        else:
            lonely.append(source.path)
    return Paired(images, dict(masks), lonely)


def masks_beside(path: Path, endings: Sequence[str]) -> list[ImageFiles]:
    """The masks in the folder of one file that was given by its name, which lie there without being given."""
    stem = without_suffix(path).name
    names = {stem + ending for ending in endings}
    try:
        beside = sorted(other for other in path.parent.iterdir() if other != path and _is_named(other, names))
    except OSError as error:
        raise CMROrientError(f"cannot be opened to look for masks ({error.strerror or error})", path.parent) from error
    found = [source for other in beside for source in find(other)]
    # What a detached header names as its voxels is no mask of its own.
    voxels = {file for source in found for file in source.files[1:]}
    return [source for source in found if source.path not in voxels]


def check_fit(mask: Volume, image: Volume, path: Path) -> None:
    """Raise ``CMROrientError`` where a mask has not its image's slices, rows and columns."""
    if mask.array.shape[-3:] != image.array.shape[-3:]:
        raise CMROrientError(
            f"the mask has {_size(mask)} columns × rows × slices, its image {_size(image)}; it cannot follow the image",
            path,
        )
    if mask.array.ndim == 4 and (image.array.ndim == 3 or mask.array.shape[0] not in (1, image.array.shape[0])):
        raise CMROrientError("the mask has other phases than its image; it cannot follow the image", path)


def _size(volume: Volume) -> str:
    return " × ".join(str(n) for n in volume.grid.size)


def _is_named(path: Path, stems: set[str]) -> bool:
    return kind_of(path) is not None and without_suffix(path).name in stems and path.is_file()


def _stem(path: Path) -> Path:
    return without_suffix(path)
