"""Units of work: an image alone, or the images of a group, which are decided on together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..orientation import Orientation
from ..recognition.wording import orientation_words
from .companions.company import Company
from .options import RunOptions
from .plan import PlannedImage
from .work import Assignment, Outcome, work


def units_of(images: Sequence[PlannedImage]) -> list[list[PlannedImage]]:
    """The images by the groups that they are decided on in, in the order of the first of each."""
    units: dict[object, list[PlannedImage]] = {}
    for image in images:
        units.setdefault(image.key if image.group is None else image.group.name, []).append(image)
    return list(units.values())


def work_on(unit: Sequence[Assignment], options: RunOptions, threads: int | None = None) -> Iterator[Outcome]:
    """Do the assignments of a unit, one after the other; see ``work``.

    A person's decision holds for the image that it names. The others are decided on without it, and
    where that ends in another orientation the decided image's record says so.
    """
    open_ends = [assignment for assignment in unit if _is_open(assignment.image)]
    company = None
    if len(open_ends) > 1:
        sources = {assignment.image.key: assignment.image.source for assignment in open_ends}
        company = Company(sources, options.slice_axis)
    common: Orientation | None = None
    for assignment in open_ends:
        outcome = work(assignment, options, threads, company)
        if outcome.record.acted_on:
            common = outcome.record.orientation
        yield outcome
    for assignment in unit:
        if assignment not in open_ends:
            outcome = work(assignment, options, threads)
            yield outcome if outcome.kept else _apart(outcome, common)
            if common is None and outcome.record.acted_on:
                common = outcome.record.orientation


def alone(assignment: Assignment) -> Assignment:
    """The same without its group."""
    return replace(assignment, image=replace(assignment.image, group=None))


def _is_open(image: PlannedImage) -> bool:
    return image.override is None and image.error is None and image.source.left_alone is None


def _apart(outcome: Outcome, common: Orientation | None) -> Outcome:
    """Say where a person decided otherwise about an image than about, or the network on, the rest of its group."""
    record = outcome.record
    if record.group is None or common is None or not record.decided_by_user or record.orientation == common:
        return outcome
    note = f"decided apart from its group {record.group.name}, which is stored {orientation_words(common)}"
    told = (*outcome.told, f"{record.name}: {note}")
    return replace(outcome, record=replace(record, note="; ".join(filter(None, (note, record.note)))), told=told)
