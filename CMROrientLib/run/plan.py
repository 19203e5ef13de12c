"""The plan of a run: which images there are, what each would write, and whether that can be."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..correction import GEOMETRY_MODES, GeometryMode
from ..errors import CMROrientError, UsageError
from ..io import ImageFiles, find
from ..io.paths import check_places, long_path, relative
from ..orientation import Orientation
from .companions import MaskPair, pair_masks
from .overrides import Decisions, Override
from .record import CSV_NAME, HTML_NAME, JSONL_NAME, Record

if TYPE_CHECKING:
    from ..recognition.model_files import ModelFiles


@dataclass(frozen=True)
class Settings:
    """What is the same for every image of a run; see ``batch.correct_folder``."""

    model: str | Path = "universal"
    device: str = "auto"
    averaging: bool = True
    min_confidence: float | None = None
    geometry: GeometryMode = "auto"
    target: Orientation = Orientation.IDENTITY
    skip_conflicts: bool = False
    slice_axis: int | None = None
    threads: int | None = None
    correcting: bool = True
    pictures: bool = False
    overwrite: bool = False

    def digest(self, model: ModelFiles | None, override: Override | None) -> str:
        """A name for everything beside the files that a record depends on."""
        decided = None if override is None else [override.orientation, override.decision]
        parts = [
            None if model is None else model.fingerprint,
            self.averaging,
            self.min_confidence,
            self.geometry,
            int(self.target),
            self.skip_conflicts,
            self.slice_axis,
            decided,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Task:
    """One image of a run.

    Parameters
    ----------
    source:
        Where it is.
    path:
        Its name in the record, relative to the path that was given.
    destination:
        The file to write, or the folder for a DICOM series of several files; None in a run that
        writes nothing.
    output:
        The output folder, which the record's paths are relative to.
    masks:
        The masks that follow it.
    override:
        What the user decided about it.
    prior:
        What an earlier run recorded about it.
    has_picture:
        Whether the earlier run's report shows it.
    error:
        Why it cannot be read, where that is known already.
    """

    source: ImageFiles
    path: str
    destination: Path | None = None
    output: Path | None = None
    masks: tuple[MaskPair, ...] = ()
    override: Override | None = None
    prior: Record | None = None
    has_picture: bool = False
    error: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """The key of its record."""
        return self.path, self.source.series


@dataclass(frozen=True)
class Plan:
    """All tasks of a run, and the masks whose images are not there."""

    tasks: list[Task]
    lonely_masks: list[Path] = field(default_factory=list)


def plan_run(
    inputs: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str] | None = None,
    *,
    masks: Sequence[str] = (),
    decisions: Decisions | None = None,
    orientation: Orientation | None = None,
) -> Plan:
    """Find the images and decide where each one goes.

    Parameters
    ----------
    inputs:
        Files and folders.
    output:
        The output folder; None where nothing is going to be written.
    masks:
        Endings of mask names before the format's suffix, such as ``_seg``.
    decisions, orientation:
        What the user decided, for single images or for all.

    Raises
    ------
    UsageError
        Where a path is missing, the output lies inside an input or the other way round, two
        inputs would write one output, or decisions name images that are not there.
    CMROrientError
        Where there is no image at all.
    """
    if not inputs:
        raise UsageError("give at least one file or folder")
    roots = [long_path(Path(entry)) for entry in inputs]
    for root in roots:
        if not root.exists():
            raise UsageError("there is no such file or folder", root)
    place = None if output is None else long_path(Path(output))
    if place is not None:
        check_places(roots, place)
    tasks: list[Task] = []
    lonely: list[Path] = []
    seen: set[tuple[Path, str, str | None]] = set()
    for root in roots:
        base = root if root.is_dir() else root.parent
        try:
            found = find(root)
        except CMROrientError as error:
            if root.is_dir():
                raise
            # One file that is no image must not keep the other inputs from being done.
            tasks.append(Task(ImageFiles(root, (root,), "unknown"), root.name, error=error.message))
            continue
        paired = pair_masks(found, masks)
        lonely += paired.lonely
        for source in paired.images:
            name = relative(source.path, base)
            if (source.path.resolve(), name, source.series) in seen:
                continue
            seen.add((source.path.resolve(), name, source.series))
            destination = None if place is None else place / name
            tasks.append(
                Task(
                    source,
                    name,
                    destination,
                    place,
                    tuple(MaskPair(mask, relative(mask.path, base)) for mask in paired.masks.get(source.path, ())),
                    _override(decisions, orientation, name, source.series),
                )
            )
    if not tasks:
        raise CMROrientError("no images found (NIfTI, NRRD, MetaImage or DICOM)", roots[0] if len(roots) == 1 else None)
    if place is not None:
        check_links(tasks, place)
    check_outputs(tasks)
    if decisions is not None:
        decisions.check_all_used(task.key for task in tasks)
    return Plan(tasks, lonely)


def _override(
    decisions: Decisions | None, orientation: Orientation | None, path: str, series: str | None
) -> Override | None:
    if orientation is not None:
        return Override(orientation)
    return None if decisions is None else decisions.find(path, series)


def check_links(tasks: Iterable[Task], output: Path) -> None:
    """Raise ``UsageError`` where a link below an input made images of what lies in the output folder."""
    place = output.resolve()
    folders = {path.parent: task.source.path for task in tasks for path in task.source.files}
    for folder, image in folders.items():
        if folder.resolve().is_relative_to(place):
            raise UsageError(
                "a link in the input leads into the output folder; remove it or give another folder", image
            )


def check_outputs(tasks: Sequence[Task]) -> None:
    """Raise ``UsageError`` where two inputs would write one file, or one would leave the output folder."""
    writers: dict[str, Task] = {}
    parents: dict[Path, Path] = {}
    for task in tasks:
        if task.output is None or task.source.left_alone is not None:
            continue
        for target in planned_files(task):
            # Names that differ in case only are one file on Windows.
            key = os.path.normcase(target)
            first = writers.setdefault(key, task)
            if first is not task:
                raise UsageError(
                    f"{first.source.path} and {task.source.path} would both be written to it; correct them apart",
                    target,
                )
            if target.name in (JSONL_NAME, CSV_NAME, HTML_NAME) and target.parent == task.output:
                raise UsageError("this image would be written over the run's own record; rename it", task.source.path)
            parent = target.parent
            if parent not in parents:
                parents[parent] = parent.resolve()
            if not parents[parent].is_relative_to(task.output.resolve()):
                raise UsageError("a link leads out of the output folder; remove it", parent)


def planned_files(task: Task) -> list[Path]:
    """Every file that a task may write, its masks among them."""
    if task.destination is None or task.output is None:
        return []
    planned = list(copies(task.source, task.destination).values())
    for mask in task.masks:
        planned += copies(mask.source, task.output / mask.name).values()
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


def check_settings(settings: Settings) -> None:
    """Raise ``UsageError`` for values that no run can use."""
    if settings.geometry not in GEOMETRY_MODES:
        raise UsageError(f"geometry is one of {', '.join(GEOMETRY_MODES)}, not {settings.geometry!r}")
    if settings.slice_axis not in (None, 0, 1, 2):
        raise UsageError(f"the slice axis is 0, 1 or 2, not {settings.slice_axis}")


def check_orientation(value: int | Orientation | None, what: str = "orientation") -> Orientation | None:
    """A class 0 to 7 or None; raises ``UsageError`` for anything else."""
    if value is None:
        return None
    try:
        return Orientation(value)
    except ValueError:
        raise UsageError(f"the {what} is a class from 0 to 7, not {value}") from None
