"""From stored predictions to the figures of the tables: slices, middle slices, volumes.

Every slice and volume counts once for each of the eight stored orientations. Averaged over the
turned copies the answer turns with the slice exactly, so all eight give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..orientation import Orientation
from ..recognition.decision import carried_back, log_probabilities
from .cases import Case
from .predictions import Predictions, slice_log_probabilities
from .statistics import accuracy

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


def figures(predictions: Predictions) -> dict[str, Any]:
    """The accuracies of one group of cases, border cases left out.

    Returns
    -------
    ``subjects``, ``volumes``, ``slices``, ``left_out`` (border volumes) and the accuracies
    ``slices_single``, ``slices_averaged``, ``middle_single``, ``middle_averaged``,
    ``volumes_single``, ``volumes_averaged`` as ``Accuracy.to_json``; only the counts where no case
    is left.
    """
    hard = predictions.of(counts)
    result: dict[str, Any] = {
        "subjects": len({case.subject for case in hard.cases}),
        "volumes": len(hard.cases),
        "slices": len(hard.logits),
        "left_out": len(predictions.cases) - len(hard.cases),
    }
    if not len(hard.logits):
        return result
    people = hard.subjects
    owners = [case.subject for case in hard.cases]
    single, averaged, middle = single_pass_right(hard.logits), averaged_right(hard.logits), hard.middle
    middle_people = [person for person, inside in zip(people, middle, strict=True) if inside]
    rows: dict[str, tuple[NDArray[np.bool_], Sequence[str]]] = {
        "slices_single": (single, people),
        "slices_averaged": (averaged, people),
        "middle_single": (single[middle], middle_people),
        "middle_averaged": (averaged[middle], middle_people),
        "volumes_single": (volume_single_pass_right(hard), owners),
        "volumes_averaged": (volume_averaged_right(hard), owners),
    }
    for name, (right, subjects) in rows.items():
        if len(right):
            result[name] = accuracy(right, subjects).to_json()
    return result


def by_group(predictions: Predictions, group: Callable[[Case], str]) -> dict[str, dict[str, Any]]:
    """``figures`` for each value of ``group`` (in sorted order) and, as ``all``, for everything."""
    names = sorted({group(case) for case in predictions.cases})
    tables = {name: figures(predictions.of(lambda case, name=name: group(case) == name)) for name in names}  # type: ignore[misc]
    return {**tables, "all": figures(predictions)}


def source_and_sequence(case: Case) -> str:
    """The group that tables have a row for."""
    return " ".join(part for part in (case.dataset, case.sequence) if part) or "unnamed"


def as_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """The groups as a table for a terminal."""
    width = max(len(name) for name in tables)
    lines = [
        f"{'':{width}}  people volumes  slices   slices: one pass   averaged   "
        "middle 70 %   averaged   volumes   averaged"
    ]
    columns = (
        ("slices_single", 18),
        ("slices_averaged", 10),
        ("middle_single", 13),
        ("middle_averaged", 10),
        ("volumes_single", 9),
        ("volumes_averaged", 10),
    )
    for name, row in tables.items():
        cells = "".join(f"{row[key]['value']:>{size}.4f} " if key in row else " " * (size + 1) for key, size in columns)
        lines.append(f"{name:{width}}  {row['subjects']:6} {row['volumes']:7} {row['slices']:7} {cells}")
    return "\n".join(lines)
