"""The plan of a run: which images there are, what each would write, and whether that can be."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..io import ImageFiles, find
from ..io.paths import check_places, relative
from .companions.label_maps import Companion, pair
from .companions.together import Candidate, find_groups
from .options import RunOptions
from .overrides import DecisionTable, Override, read_decisions
from .parts import Group
from .record import Key
from .store import STORE_NAME
from .tables import CSV_NAME, HTML_NAME, JSONL_NAME

#: Files of the run itself in its output folder.
OWN_FILES = (STORE_NAME, JSONL_NAME, CSV_NAME, HTML_NAME)


@dataclass(frozen=True)
class PlannedImage:
    """One image of a run.

    Parameters
    ----------
    source:
        Where it is.
    path:
        Its name in the record, relative to the path that was given.
    destination:
        The file to write, or the folder for a DICOM series of several files; None in a run that
        only recognizes.
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
    destination: Path | None = None
    masks: tuple[Companion, ...] = ()
    override: Override | None = None
    error: str | None = None
    group: Group | None = None
    contested: bool = False

    @property
    def key(self) -> Key:
        """The key of its record."""
        return self.path, self.source.series


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
    decisions = None if options.decisions is None else read_decisions(options.decisions)
    for root in options.inputs:
        if not root.exists():
            raise UsageError("there is no such file or folder", root)
    if options.output is not None:
        check_places(options.inputs, options.output)
    images: list[PlannedImage] = []
    lonely: list[Path] = []
    roots: dict[Key, Path] = {}
    seen: set[tuple[Path, Key]] = set()
    for root in options.inputs:
        base = root if root.is_dir() else root.parent
        try:
            found = find(root)
        except CMROrientError as error:
            if root.is_dir():
                raise
            # One file that is no image must not keep the other inputs from being done.
            images.append(PlannedImage(ImageFiles(root, (root,), "unknown"), root.name, error=error.message))
            continue
        paired = pair(root, found, options)
        lonely += paired.lonely
        for source in paired.images:
            image = _planned(source, base, options, paired.masks.get(source.path, ()), decisions)
            if (source.path.resolve(), image.key) not in seen:
                seen.add((source.path.resolve(), image.key))
                images.append(image)
                roots[image.key] = root
    if not images and lonely:
        raise CMROrientError(_only_label_maps(lonely), options.inputs[0] if len(options.inputs) == 1 else None)
    if not images:
        only = options.inputs[0] if len(options.inputs) == 1 else None
        raise CMROrientError(
            "no images found (NIfTI, NRRD, MetaImage or DICOM); give the folder or file that holds some", only
        )
    if options.output is not None:
        check_links(images, options.output)
        check_outputs(images, options.output)
        images = with_contested(images, options.output)
    if decisions is not None:
        decisions.check_all_used(image.key for image in images)
    if options.companions == "auto" and len(images) > 1:
        images = _grouped(images, roots, options)
    followed = {mask.source.path.resolve() for image in images for mask in image.masks}
    return RunPlan(images, [path for path in lonely if path.resolve() not in followed])


def _grouped(images: Sequence[PlannedImage], roots: Mapping[Key, Path], options: RunOptions) -> list[PlannedImage]:
    # Images of one name under two given paths could not be told apart.
    named = Counter(image.key for image in images)
    candidates = [
        Candidate(image.key, image.source, roots[image.key])
        for image in images
        if image.error is None and named[image.key] == 1
    ]
    groups = find_groups(candidates, options.slice_axis)
    return [replace(image, group=groups.get(image.key)) for image in images]


def _only_label_maps(lonely: Sequence[Path]) -> str:
    count = "one label map" if len(lonely) == 1 else f"{len(lonely)} label maps"
    return (
        f"no images found, nothing but {count} ({lonely[0].name}{' …' if len(lonely) > 1 else ''}): label maps are not "
        "recognized, they follow their image; give the folder that holds the images too"
    )


def _planned(
    source: ImageFiles, base: Path, options: RunOptions, masks: Sequence[ImageFiles], decisions: DecisionTable | None
) -> PlannedImage:
    name = relative(source.path, base)
    override = None
    if options.orientation is not None:
        override = Override(options.orientation)
    elif decisions is not None:
        override = decisions.find(name, source.series)
    return PlannedImage(
        source,
        name,
        None if options.output is None else options.output / name,
        tuple(Companion(mask, relative(mask.path, base)) for mask in masks),
        override,
    )


def check_links(images: Iterable[PlannedImage], output: Path) -> None:
    """Raise ``UsageError`` where a link below an input made images of what lies in the output folder."""
    place = output.resolve()
    folders = {path.parent: image.source.path for image in images for path in image.source.files}
    for folder, path in folders.items():
        if folder.resolve().is_relative_to(place):
            raise UsageError("a link in the input leads into the output folder; remove it or give another folder", path)


def check_outputs(images: Iterable[PlannedImage], output: Path) -> None:
    """Raise ``UsageError`` where an input would replace the run's record, or leave the output folder."""
    parents: set[Path] = set()
    place = output.resolve()
    for image in images:
        if image.source.left_alone is not None:
            continue
        for target in planned_files(image, output):
            if target.name in OWN_FILES and target.parent == output:
                raise UsageError("this image would be written over the run's own record; rename it", image.source.path)
            if target.parent not in parents:
                parents.add(target.parent)
                if not target.parent.resolve().is_relative_to(place):
                    raise UsageError("a link leads out of the output folder; remove it", target.parent)


def with_contested(images: Sequence[PlannedImage], output: Path) -> list[PlannedImage]:
    """The images; those of which two would write one file, or have one record, as errors that name them."""
    first: dict[object, int] = {}
    rivals: dict[object, list[int]] = {}
    for number, image in enumerate(images):
        if image.source.left_alone is not None or image.destination is None:
            continue
        # Names that differ in case only are one file on Windows.
        claims = sorted({os.path.normcase(target) for target in planned_files(image, output)})
        either: tuple[object, ...] = (*claims, image.key)
        for claimed in either:
            if first.setdefault(claimed, number) != number:
                rivals.setdefault(claimed, [first[claimed]]).append(number)
    errors: dict[int, str] = {}
    for claimed, numbers in rivals.items():
        for number in numbers:
            errors.setdefault(number, _contested(claimed, [images[n] for n in numbers], output))
    return [
        replace(image, error=errors[number], contested=True) if number in errors else image
        for number, image in enumerate(images)
    ]


def _contested(claimed: object, rivals: Sequence[PlannedImage], output: Path) -> str:
    """Which images claim one file, or one name in the record, and what to do."""
    more = f" (and {len(rivals) - 2} more)" if len(rivals) > 2 else ""
    both = f"{rivals[0].source.path} and {rivals[1].source.path}{more}"
    own = f"correct them into output folders of their own; neither is written, and what lies in {output} stays"
    if not isinstance(claimed, str):
        return f"{both} would have one name in the record, {rivals[0].path}: {own}"
    target = relative(Path(claimed), Path(os.path.normcase(output)))
    if all(os.path.normcase(image.destination or "") != claimed for image in rivals):
        return f"{both} both bring the file {target}: give each one of its own, or {own}"
    return f"{both} would both be written to {target}: rename one, or {own}"


def planned_files(image: PlannedImage, output: Path) -> list[Path]:
    """Every file that may be written for an image, its masks among them."""
    if image.destination is None:
        return []
    planned = list(copies(image.source, image.destination).values())
    for mask in image.masks:
        planned += copies(mask.source, output / mask.name).values()
    return planned


def copies(source: ImageFiles, destination: Path) -> dict[Path, Path]:
    """Where each file of a source goes when they keep their names beside each other.

    Files outside the source's folder, to which a detached header may point, are left out.
    """
    if source.path.is_dir():
        return {path: destination / path.relative_to(source.path) for path in source.files}
    folder = source.path.parent
    return {
        path: destination if path == source.path else destination.parent / path.relative_to(folder)
        for path in source.files
        if path.is_relative_to(folder)
    }
