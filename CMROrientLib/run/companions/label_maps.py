"""Label maps of images: which belongs to which, and whether it fits."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import itemgetter
from pathlib import Path, PurePosixPath

from ...errors import CMROrientError
from ...io import ImageFiles, find, read_source, without_suffix
from ...io.find import derivatives
from ...io.paths import relative
from ...io.suffixes import kind_of, stem_of
from ...volume import Volume
from ..options import RunOptions
from ..store_file import has_record
from .bids import BidsName, owners
from .content import few_values, is_label_map
from .layouts import holds_labels, in_label_folder, is_named_after, named_after, names, places, places_in


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
        The masks of an image, by the text of its path.
    lonely:
        Masks whose image is not there.
    """

    images: list[ImageFiles]
    masks: dict[str, list[ImageFiles]] = field(default_factory=dict)
    lonely: list[Path] = field(default_factory=list)


def pair(root: Path, found: Sequence[ImageFiles], options: RunOptions) -> Paired:
    """What was found in a file or a tree, each image with its masks.

    Raises
    ------
    CMROrientError
        Where a folder cannot be looked into.
    """
    if not root.is_dir():
        return _of_one_file(root, found, options)
    paired = pair_masks(found, options.masks)
    derived = [] if options.companions == "none" else _derived(root, options.output)
    return _Pairing(paired, derived, root, options).done()


def _of_one_file(path: Path, found: Sequence[ImageFiles], options: RunOptions) -> Paired:
    """The masks in the folder of one file that was given by its name, which lie there without being given."""
    beside = list(masks_beside(path, options.masks)) if options.masks else []
    paired = pair_masks([*found, *beside], options.masks)
    if options.companions == "none" and not options.mask_names:
        return paired
    known = {path, *(source.path for source in beside)}
    stem = PurePosixPath(without_suffix(path).name)
    told = {label for pattern in options.mask_names if (label := pattern.label_of(stem.name)) is not None}

    def related(other: Path) -> bool:
        name = without_suffix(other).name
        return name in told or (options.companions == "auto" and is_named_after(name, stem.name))

    more = [source for source in _beside(path, related) if source.path not in known]
    paired = _Pairing(replace(paired, images=[*paired.images, *more]), [], path.parent, options).done()
    # What lies there and is no mask was not given.
    return replace(paired, images=[image for image in paired.images if image in found], lonely=[])


def pair_masks(sources: Sequence[ImageFiles], endings: Sequence[str]) -> Paired:
    """Tell masks from images by their names.

    ``case.nii.gz`` has the mask ``case_seg.nrrd`` in its folder where ``_seg`` is among the
    endings; the formats may differ.
    """
    if not endings:
        return Paired(list(sources))
    stems: dict[Path, list[ImageFiles]] = defaultdict(list)
    for source in sources:
        if source.kind != "dicom":
            stems[without_suffix(source.path)].append(source)
    images: list[ImageFiles] = []
    masks: dict[str, list[ImageFiles]] = defaultdict(list)
    lonely: list[Path] = []
    for source in sources:
        stem = without_suffix(source.path)
        ending = next((e for e in endings if source.kind != "dicom" and stem.name.endswith(e)), None)
        if ending is None:
            images.append(source)
            continue
        owned_by = stems.get(stem.with_name(stem.name[: -len(ending)])) if len(stem.name) > len(ending) else None
        if owned_by:
            for owner in owned_by:
                masks[owner.path_text].append(source)
        else:
            lonely.append(source.path)
    return Paired(images, dict(masks), lonely)


class _Pairing:
    """Label maps found by the layout of a data set, by names that a person described, or by content.

    DICOM images get no label maps of another format: it is not said in which order their rows would be.

    Parameters
    ----------
    paired:
        What endings of names have told already.
    derived:
        Label maps below the ``derivatives`` of BIDS data sets, which are nothing but label maps.
    base:
        The folder that names are relative to.
    """

    def __init__(self, paired: Paired, derived: Sequence[ImageFiles], base: Path, options: RunOptions) -> None:
        self.paired = paired
        self.base = base
        self.options = options
        self.automatic = options.companions == "auto"
        self.sources = [*(image for image in paired.images if image.kind != "dicom"), *derived]
        self.derived = {source.path_text for source in derived}
        # Names are made as they are needed: an archive has many.
        self._folder_named = lru_cache(maxsize=256)(PurePosixPath)
        self.owner: dict[str, ImageFiles] = {}
        self.lonely: dict[str, None] = dict.fromkeys(map(str, paired.lonely))

    def done(self) -> Paired:
        """Images and their masks."""
        self._by_layout()
        if self.automatic:
            self._by_bids_name()
            self._by_content()
            self._without_image()
        masks = {path: list(found) for path, found in self.paired.masks.items()}
        for source in self.sources:
            if source.path_text in self.owner:
                masks.setdefault(self.owner[source.path_text].path_text, []).append(source)
        gone = {*self.owner, *self.lonely}
        images = [image for image in self.paired.images if image.path_text not in gone]
        return Paired(images, masks, list(map(Path, self.lonely)))

    def _images(self) -> Iterator[ImageFiles]:
        return (s for s in self.sources if s.path_text not in self.owner and s.path_text not in self.derived)

    def _folder(self, source: ImageFiles) -> PurePosixPath:
        """The folder of a source by its name."""
        return self._folder_named(self._folder_text(source))

    def _folder_text(self, source: ImageFiles) -> str:
        return posixpath.dirname(relative(source.path_text, self.base))

    def _name(self, source: ImageFiles) -> PurePosixPath:
        """The name of a source without the format."""
        return self._folder(source) / stem_of(source.path_text)

    def _by_layout(self) -> None:
        patterns = self.options.mask_names
        told = bool(patterns or self.options.masks_in)
        if not told and not any(holds_labels(self._folder_text(source)) for source in self.sources):
            return
        folders = {self._folder(source) for source in self.sources}
        by_name: dict[PurePosixPath, list[ImageFiles]] = defaultdict(list)
        for source in self.sources:
            by_name[self._name(source)].append(source)
        for image in list(self._images()):
            name = self._name(image)
            named = set(self.options.masks_in) & set(name.parent.parts)
            if image.path_text in self.owner or named or (self.automatic and in_label_folder(name)):
                continue
            found = [*places_in(name, self.options.masks_in)]
            if self.automatic:
                found += places(name, folders)
            labels = [place / label for place in found for label in names(name, patterns)]
            labels += [name.with_name(label) for pattern in patterns if (label := pattern.label_of(name.name))]
            for place in dict.fromkeys(labels):
                self._give(image, by_name.get(place, []))

    def _give(self, image: ImageFiles, labels: Iterable[ImageFiles]) -> None:
        for label in labels:
            # The first image of several keeps it: channels of a case are decided on together.
            if label.path_text != image.path_text and label.path_text not in self.owner:
                self.owner[label.path_text] = image

    def _by_bids_name(self) -> None:
        labels = [(label, name) for label in self.sources if (name := self._bids_name(label)) and name.is_label_map]
        labels = [(label, name) for label, name in labels if label.path_text not in self.owner]
        if not labels:
            return
        # By subject and session: a label map has no other's image.
        people: dict[tuple[str | None, str | None], dict[str, tuple[ImageFiles, BidsName]]] = defaultdict(dict)
        for image in self._images():
            name = self._bids_name(image)
            if name is not None and not name.is_label_map:
                people[name.person][image.path_text] = image, name
        for label, name in labels:
            images = people.get(name.person, {})
            fitting = owners(name, ((key, entry[1]) for key, entry in images.items()))
            volume = _read(label)
            for image in (images[key][0] for key in fitting):
                # Where several fit they lie on one grid, and are decided on together.
                if volume is not None and _on_grid_of(volume, image):
                    self.owner[label.path_text] = image
                    break
            else:
                if label.path_text not in self.derived:
                    self.lonely[label.path_text] = None

    def _bids_name(self, source: ImageFiles) -> BidsName | None:
        stem = stem_of(source.path_text)
        return BidsName.of(stem) if stem.startswith("sub-") else None

    def _by_content(self) -> None:
        """A few whole values on the grid of an image in the same folder after which it is named."""
        open_ends = [s for s in self.sources if s.path_text not in self.owner and s.path_text not in self.lonely]
        in_folder = Counter(hash(self._folder_text(source)) for source in open_ends)
        by_folder: dict[PurePosixPath, dict[str, list[tuple[int, ImageFiles]]]] = {}
        for number, image in enumerate(open_ends):
            # An image that is alone has nothing beside it.
            beside = self.derived or in_folder[hash(self._folder_text(image))] > 1
            if beside and image.path_text not in self.derived:
                by_folder.setdefault(self._folder(image), {}).setdefault(stem_of(image.path_text), []).append(
                    (number, image)
                )
        for label in open_ends if by_folder else ():
            places = [place for place in self._folders_of(label, self._folder(label)) if place in by_folder]
            names = named_after(stem_of(label.path_text)) if places else ()
            related = [
                (-len(name), nth, number, image)
                for nth, place in enumerate(places)
                for name in names
                for number, image in by_folder[place].get(name, ())
            ]
            if not related:
                continue
            volume = _read(label)
            values = None if volume is None else few_values(volume)
            # A single value other than zero marks nothing.
            if volume is None or values is None or (len(values) == 1 and values[0] != 0):
                continue
            for *_order, image in sorted(related, key=itemgetter(0, 1, 2)):
                seen = _read(image)
                if seen is not None and not is_label_map(seen) and _same_place(volume, seen):
                    self.owner[label.path_text] = image
                    break

    def _folders_of(self, label: ImageFiles, folder: PurePosixPath) -> list[PurePosixPath]:
        """Where the image of a label map would be: beside it or, below derivatives, at the same place above."""
        if label.path_text not in self.derived:
            return [folder]
        place = folder.parts.index("derivatives")
        return [PurePosixPath(*folder.parts[:place], *folder.parts[place + n :]) for n in (1, 2)]

    def _without_image(self) -> None:
        """Label maps in a folder for label maps that no image was found for."""
        for source in self._images():
            if source.path_text in self.lonely or not holds_labels(self._folder_text(source)):
                continue
            volume = _read(source)
            if volume is not None and is_label_map(volume):
                self.lonely[source.path_text] = None


def _derived(root: Path, output: Path | None) -> list[ImageFiles]:
    """What lies below the ``derivatives`` of BIDS data sets, less what runs of this program wrote there."""
    place = None if output is None else output.resolve()
    found = []
    for folder in derivatives(root):
        for pipeline in sorted(path for path in folder.iterdir() if path.is_dir()):
            if has_record(pipeline) or pipeline.resolve() == place:
                continue
            found += [source for source in find(pipeline) if source.kind != "dicom"]
    return found


def masks_beside(path: Path, endings: Sequence[str]) -> list[ImageFiles]:
    """The masks in the folder of one file that was given by its name, which lie there without being given."""
    stem = without_suffix(path).name
    wanted = {stem + ending for ending in endings}
    return _beside(path, lambda other: without_suffix(other).name in wanted)


def _beside(path: Path, wanted: Callable[[Path], bool]) -> list[ImageFiles]:
    try:
        beside = sorted(
            other
            for other in path.parent.iterdir()
            if other != path and kind_of(other) is not None and wanted(other) and other.is_file()
        )
    except OSError as error:
        raise CMROrientError(
            f"cannot be opened to look for masks ({error.strerror or error}); check its permissions", path.parent
        ) from error
    found = [source for other in beside for source in find(other)]
    # What a detached header names as its voxels is no mask of its own.
    voxels = {file for source in found for file in source.files[1:]}
    return [source for source in found if source.path not in voxels]


def check_fit(mask: Volume, image: Volume, path: Path) -> None:
    """Raise ``CMROrientError`` where a mask has not its image's slices, rows and columns."""
    if mask.array.shape[-3:] != image.array.shape[-3:]:
        raise CMROrientError(
            f"the mask has {_size(mask)} columns × rows × slices, its image {_size(image)}: it cannot follow the "
            "image; draw it on this image, or take it out",
            path,
        )
    if mask.array.ndim == 4 and (image.array.ndim == 3 or mask.array.shape[0] not in (1, image.array.shape[0])):
        raise CMROrientError(
            "the mask has other phases than its image: it cannot follow the image; draw it on this image, or take it "
            "out",
            path,
        )


def _size(volume: Volume) -> str:
    return " × ".join(str(n) for n in volume.grid.size)


def _read(source: ImageFiles) -> Volume | None:
    """None where it cannot be read: whoever works on it is told why."""
    try:
        return read_source(source)
    except (CMROrientError, MemoryError):
        return None


def _on_grid_of(label: Volume, image: ImageFiles) -> bool:
    seen = _read(image)
    return seen is not None and _same_place(label, seen)


def _same_place(label: Volume, image: Volume) -> bool:
    return label.stored()[1].matches(image.stored()[1])
