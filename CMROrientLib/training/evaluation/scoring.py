"""From stored predictions to the figures of the tables: slices, middle slices, volumes.

Every slice and volume counts once for each of the eight stored orientations. Averaged over the
turned copies the answer turns with the slice exactly, so all eight give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...orientation import Orientation
from ...recognition.decision import carried_back, log_probabilities
from ..cases import Case
from .predictions import Predictions, slice_log_probabilities
from .statistics import Accuracy, accuracy

#: Volumes nearer than this to a class border (degrees) are a matter of taste and not counted.
HARD_MARGIN = 10.0


def counts(case: Case) -> bool:
    """Whether a case is far enough from a border, or its angle unknown."""
    return case.margin is None or case.margin >= HARD_MARGIN


def single_pass_right(logits: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(S, 8) whether one pass names the class that each slice is stored in."""
    return np.asarray(logits[:, :8, :8].argmax(-1) == np.arange(8))


def averaged_right(logits: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(S,) whether the average over the turned copies names it; the same for all eight."""
    return np.asarray(slice_log_probabilities(logits).mean(1).argmax(-1) == Orientation.IDENTITY)


def volume_single_pass_right(predictions: Predictions) -> NDArray[np.bool_]:
    """(cases, 8) the same for volumes: mean log-probability over the slices."""
    every = log_probabilities(predictions.logits[:, :8])
    means = np.stack([every[predictions.case == index].mean(0) for index in range(len(predictions.cases))])
    return np.asarray(means.argmax(-1) == np.arange(8))


def volume_averaged_right(predictions: Predictions) -> NDArray[np.bool_]:
    """(cases,) the same, averaged over the turned copies."""
    every = carried_back(log_probabilities(predictions.logits)).mean(1)
    means = np.stack([every[predictions.case == index].mean(0) for index in range(len(predictions.cases))])
    return np.asarray(means.argmax(-1) == Orientation.IDENTITY)


@dataclass(frozen=True)
class Figures:
    """The accuracies of one group of cases; None where no case is left to count.

    Parameters
    ----------
    subjects, volumes, slices:
        How many there are, without border volumes.
    left_out:
        Border volumes.
    slices_single, slices_averaged:
        Of slices, in one pass and averaged over the turned copies.
    middle_single, middle_averaged:
        Of middle slices.
    volumes_single, volumes_averaged:
        Of volumes.
    """

    subjects: int
    volumes: int
    slices: int
    left_out: int
    slices_single: Accuracy | None = None
    slices_averaged: Accuracy | None = None
    middle_single: Accuracy | None = None
    middle_averaged: Accuracy | None = None
    volumes_single: Accuracy | None = None
    volumes_averaged: Accuracy | None = None


def figures(predictions: Predictions) -> Figures:
    """The accuracies of one group of cases, border cases left out."""
    hard = predictions.of(counts)
    owners = [case.subject for case in hard.cases]
    found = Figures(
        subjects=len(set(owners)),
        volumes=len(hard.cases),
        slices=len(hard.logits),
        left_out=len(predictions.cases) - len(hard.cases),
    )
    if not len(hard.logits):
        return found
    people = hard.subjects
    single, averaged, middle = single_pass_right(hard.logits), averaged_right(hard.logits), hard.middle
    middle_people = [person for person, inside in zip(people, middle, strict=True) if inside]
    return replace(
        found,
        slices_single=accuracy(single, people),
        slices_averaged=accuracy(averaged, people),
        middle_single=accuracy(single[middle], middle_people) if middle_people else None,
        middle_averaged=accuracy(averaged[middle], middle_people) if middle_people else None,
        volumes_single=accuracy(volume_single_pass_right(hard), owners),
        volumes_averaged=accuracy(volume_averaged_right(hard), owners),
    )


def by_group(predictions: Predictions, group: Callable[[Case], str]) -> dict[str, Figures]:
    """``figures`` for each value of ``group`` (in sorted order) and, as ``all``, for everything."""
    names = sorted({group(case) for case in predictions.cases})
    tables = {name: figures(predictions.of(lambda case, name=name: group(case) == name)) for name in names}  # type: ignore[misc]
    return {**tables, "all": figures(predictions)}


def source_and_sequence(case: Case) -> str:
    """The group that tables have a row for."""
    return " ".join(part for part in (case.dataset, case.sequence) if part) or "unnamed"


def as_text(tables: Mapping[str, Figures]) -> str:
    """The groups as a table for a terminal."""
    width = max(len(name) for name in tables)
    lines = [
        f"{'':{width}}  people volumes  slices   slices: one pass   averaged   "
        "middle 70 %   averaged   volumes   averaged"
    ]
    for name, row in tables.items():
        columns = (
            (row.slices_single, 18),
            (row.slices_averaged, 10),
            (row.middle_single, 13),
            (row.middle_averaged, 10),
            (row.volumes_single, 9),
            (row.volumes_averaged, 10),
        )
        cells = "".join(f"{one.value:>{size}.4f} " if one is not None else " " * (size + 1) for one, size in columns)
        lines.append(f"{name:{width}}  {row.subjects:6} {row.volumes:7} {row.slices:7} {cells}")
    return "\n".join(lines)
