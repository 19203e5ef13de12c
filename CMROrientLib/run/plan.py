"""The plan of a run: which images there are, what each would write, and whether that can be."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..io import ImageFiles, find
from ..io.one_file import names_in
from ..io.paths import check_places, relative
from ..io.read_write import files_made
from ..io.real_paths import RealPaths, lies_in
from ..io.suffixes import DETACHED_SUFFIXES, suffix_of
from ..orientation import Orientation
from .companions.label_maps import Companion, pair
from .companions.together import Candidate, find_groups
from .options import RunOptions
from .overrides import DecisionTable, Override, read_all_decisions
from .parts import Group
from .record import Key
from .store_file import STORE_NAME
from .tables import CSV_NAME, HTML_NAME, JSONL_NAME

#: Files of the run itself in its output folder.
OWN_FILES = (STORE_NAME, JSONL_NAME, CSV_NAME, HTML_NAME)


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image of a run.

    Parameters
    ----------
    source:
        Where it is.
    path:
        Its name in the record, relative to the path that was given.
    output:
        The output folder; None in a run that only recognizes.
    masks:
        The masks that follow it.
    override:
        What the user decided about it.
    error:
        Why it cannot be read, where that is known already.
    group:
        The images that it is decided on with.
    contested:
        Whether another input would be written to one of its files: then neither is, and what lies there stays.
    """

    source: ImageFiles
    path: str
    output: Path | None = None
    masks: tuple[Companion, ...] = ()
    override: Override | None = None
    error: str | None = None
    group: Group | None = None
    contested: bool = False

    @property
    def key(self) -> Key:
        """The key of its record."""
        return self.path, self.source.series

    @property
    def destination(self) -> Path | None:
        """The file to write, or the folder for a DICOM series of several files; None where nothing is written."""
        return None if self.output is None else self.output / self.path


@dataclass(frozen=True)
class RunPlan:
    """All images of a run, and the masks whose images are not there."""

    images: list[PlannedImage]
    lonely_masks: list[Path] = field(default_factory=list)


def plan_run(options: RunOptions) -> RunPlan:
    """Find the images and decide where each one goes.

    Raises
    ------
    UsageError
        Where a path is missing, the output lies inside an input or the other way round, or decisions
        name images that are not there.
    CMROrientError
        Where there is no image at all.
    """
    decisions = read_all_decisions(options.decisions) if options.decisions else None
    for root in options.inputs:
        if not root.exists():
            raise UsageError("there is no such file or folder", root)
    if options.output is not None:
        check_places(options.inputs, options.output)
    images: list[PlannedImage] = []
    lonely: list[Path] = []
    given: list[Path] = []
    seen: set[tuple[str, Key]] = set()
    places = RealPaths()
    for root in options.inputs:
        base = root if root.is_dir() else root.parent
        try:
            found = find(root)
        except CMROrientError as error:
            if root.is_dir():
                raise
            # One file that is no image must not keep the other inputs from being done.
            images.append(PlannedImage(ImageFiles(str(root), (str(root),), "unknown"), root.name, error=error.message))
            given.append(root)
            continue
        paired = pair(root, found, options)
        lonely += paired.lonely
        for source in paired.images:
            image = _planned(source, base, options, paired.masks.get(source.path_text, ()), decisions)
            if len(options.inputs) > 1:
                # What is found in one tree is there once.
                identity = places.of(source.path_text), image.key
                if identity in seen:
                    continue
                seen.add(identity)
            images.append(image)
            given.append(root)
    if not images:
        raise _no_images(options.inputs, lonely)
    if options.output is not None:
        check_links(images, options.output)
        images = with_contested(images, options.output)
    if decisions is not None:
        decisions.check_all_used(image.key for image in images)
    if options.companions == "auto" and len(images) > 1:
        images = _grouped(images, given, options)
    followed = {places.of(mask.source.path_text) for image in images for mask in image.masks} if lonely else set()
    return RunPlan(images, [path for path in lonely if places.of(path) not in followed])


def _grouped(images: list[PlannedImage], given: Sequence[Path], options: RunOptions) -> list[PlannedImage]:
    # Images of one name under two given paths could not be told apart.
    named = Counter(hash(image.key) for image in images)
    candidates = [
        Candidate(image.key, image.source, root)
        for image, root in zip(images, given, strict=True)
        if image.error is None and named[hash(image.key)] == 1
    ]
    groups = find_groups(candidates, options.slice_axis)
    if not groups:
        return images
    return [replace(image, group=groups[image.key]) if image.key in groups else image for image in images]


def _no_images(inputs: Sequence[Path], lonely: Sequence[Path]) -> CMROrientError:
    only = inputs[0] if len(inputs) == 1 else None
    if not lonely:
        return CMROrientError(
            "no images found (NIfTI, NRRD, MetaImage or DICOM); give the folder or file that holds some", only
        )
    count = "one label map" if len(lonely) == 1 else f"{len(lonely)} label maps"
    return CMROrientError(
        f"no images found, nothing but {count} ({lonely[0].name}{' …' if len(lonely) > 1 else ''}): label maps are not "
        "recognized, they follow their image; give the folder that holds the images too",
        only,
    )


@lru_cache(maxsize=8)
def _override_of_all(orientation: Orientation) -> Override:
    return Override(orientation)


def _planned(
    source: ImageFiles, base: Path, options: RunOptions, masks: Sequence[ImageFiles], decisions: DecisionTable | None
) -> PlannedImage:
    name = relative(source.path_text, base)
    override = None
    if options.orientation is not None:
        override = _override_of_all(options.orientation)
    elif decisions is not None:
        override = decisions.find(name, source.series)
    return PlannedImage(
        source,
        name,
        options.output,
        tuple(Companion(mask, relative(mask.path_text, base)) for mask in masks),
        override,
    )


def check_links(images: Iterable[PlannedImage], output: Path) -> None:
    """Raise ``UsageError`` where a link below an input made images of what lies in the output folder."""
    places = RealPaths()
    place = places.of(output.resolve())
    before = None
    for image in images:
        for path in image.source.file_texts:
            folder = os.path.dirname(path)  # noqa: PTH120 (text, many thousand times)
            if folder != before and lies_in(places.of(folder), place):
                said = "a link in the input leads into the output folder; remove it or give another folder"
                raise UsageError(said, image.source.path)
            before = folder


def _with_outputs(images: Iterable[PlannedImage], output: Path) -> Iterator[tuple[PlannedImage, list[Path]]]:
    """The images with the files that may be written for each, which headers have to be read for.

    Raises ``UsageError`` where an input would replace the run's record, or leave the output folder.
    """
    places = RealPaths()
    place = str(output.resolve())
    before = None
    for image in images:
        if not _claims_files(image):
            continue
        targets = planned_files(image, output)
        for target in targets:
            if target.name in OWN_FILES and target.parent == output:
                raise UsageError("this image would be written over the run's own record; rename it", image.source.path)
            folder = os.path.dirname(target)  # noqa: PTH120 (text, many thousand times)
            if folder != before and not lies_in(places.of(folder), place):
                raise UsageError("a link leads out of the output folder; remove it", Path(folder))
            before = folder
        yield image, targets


def with_contested(images: Sequence[PlannedImage], output: Path) -> list[PlannedImage]:
    """The images; those of which two would write one file, or have one record, as errors that name them.

    Raises ``UsageError`` where an input would replace the run's record, or leave the output folder.
    """
    # Of most files there is one claim: a number of each is enough to see that.
    name_of = names_in(output)
    times = Counter(
        hash(claimed)
        for image, targets in _with_outputs(images, output)
        for claimed in _claims(image, targets, name_of)
    )
    if not times or max(times.values()) < 2:
        return list(images)
    first: dict[object, int] = {}
    rivals: dict[object, list[int]] = {}
    for number, image in enumerate(images):
        if not _claims_files(image):
            continue
        for claimed in _claims(image, planned_files(image, output), name_of):
            if times[hash(claimed)] > 1 and first.setdefault(claimed, number) != number:
                rivals.setdefault(claimed, [first[claimed]]).append(number)
    errors: dict[int, str] = {}
    for claimed, numbers in rivals.items():
        for number in numbers:
            errors.setdefault(number, _contested(claimed, [images[n] for n in numbers], output, name_of))
    return [
        replace(image, error=errors[number], contested=True) if number in errors else image
        for number, image in enumerate(images)
    ]


def _claims_files(image: PlannedImage) -> bool:
    return image.source.left_alone is None and image.output is not None


def _claims(image: PlannedImage, targets: Iterable[Path], name_of: Callable[[Path], str]) -> list[object]:
    """The files and the name in the record that an image would have."""
    return [*sorted({name_of(target) for target in targets}), image.key]


def _contested(claimed: object, rivals: Sequence[PlannedImage], output: Path, name_of: Callable[[Path], str]) -> str:
    """Which images claim one file, or one name in the record, and what to do."""
    more = f" (and {len(rivals) - 2} more)" if len(rivals) > 2 else ""
    both = f"{rivals[0].source.path} and {rivals[1].source.path}{more}"
    own = f"correct them into output folders of their own; neither is written, and what lies in {output} stays"
    if not isinstance(claimed, str):
        return f"{both} would have one name in the record, {rivals[0].path}: {own}"
    found = next(path for path in planned_files(rivals[0], output) if name_of(path) == claimed)
    target = relative(found, output)
    if all(claimed in map(name_of, _brought(image)) for image in rivals):
        return f"{both} both bring the file {target}: give each one of its own, or {own}"
    return f"{both} would both be written to {target}: rename one, or {own}"


def _brought(image: PlannedImage) -> list[Path]:
    """The files beside its own that an image's input, or a mask of it, brings along under their names."""
    if image.destination is None or image.output is None:
        return []
    own = [path for source, path in copies(image.source, image.destination).items() if source != image.source.path]
    for mask in image.masks:
        own += copies(mask.source, image.output / mask.name).values()
    return own


def planned_files(image: PlannedImage, output: Path) -> list[Path]:
    """Every file that may be written for an image, its masks among them."""
    destination = image.destination
    if destination is None:
        return []
    planned = _files_of(image.source, destination)
    for mask in image.masks:
        planned += _files_of(mask.source, output / mask.name)
    return planned


def _files_of(source: ImageFiles, destination: Path) -> list[Path]:
    """The files of a source that is copied, and those of one that is written anew, which may go by other names."""
    detached = suffix_of(destination) in DETACHED_SUFFIXES and source.kind != "dicom"
    if source.is_one_file and not detached:
        return [destination]
    planned = [*copies(source, destination).values()]
    # Not by how many files it has: one whose voxels follow its header is written with a file for them.
    if detached:
        planned += [path for path in files_made(source, destination) if path not in planned]
    return planned


def copies(source: ImageFiles, destination: Path) -> dict[Path, Path]:
    """Where each file of a source goes when they keep their names beside each other.

    Files outside the source's folder, to which a detached header may point, are left out.
    """
    own = source.path
    if source.is_one_file:
        return {own: destination}
    if own.is_dir():
        return {path: destination / path.relative_to(own) for path in source.files}
    folder = own.parent
    return {
        path: destination if path == own else destination.parent / path.relative_to(folder)
        for path in source.files
        if path.is_relative_to(folder)
    }
