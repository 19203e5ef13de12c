"""Pieces of text that the sections of the results are made of: tables, shares, times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill

from CMROrientLib.training.evaluation.evaluate import TrainingFacts
from CMROrientLib.training.evaluation.scoring import Figures
from CMROrientLib.training.evaluation.statistics import Accuracy

GROUP_HEAD = (
    "tested on",
    "people",
    "volumes",
    "slices",
    "slices, one pass",
    "slices, averaged",
    "middle 70 %, averaged",
    "volumes, averaged",
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table; all columns but the first are aligned to the right."""
    return [
        "| " + " | ".join(head) + " |",
        "|" + "|".join([" --- "] + [" ---: "] * (len(head) - 1)) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def paragraph(text: str) -> str:
    """Text in lines of at most 120 characters."""
    return fill(text, 120, break_long_words=False, break_on_hyphens=False)


def share(found: Accuracy | None) -> str:
    """An accuracy with its interval."""
    if found is None:
        return "–"
    return f"{found.value:.4f} ({found.low:.3f}–{found.high:.3f})"


def percent(part: int, whole: int, interval: Sequence[float]) -> str:
    """A share in percent with its interval."""
    return f"{100 * part / whole:.1f} % ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})"


def minutes(seconds: Sequence[int]) -> str:
    """A duration, or the range of several."""
    low, high = (f"{value / 60:.0f}" for value in (min(seconds), max(seconds)))
    return f"{low} min" if low == high else f"{low}–{high} min"


def facts(found: TrainingFacts) -> str:
    """How a network was trained, in a few words."""
    start = f" from the weights of a model `{found.start}`" if found.start else ""
    parts = [f"{found.epochs} epochs{start}" if found.epochs is not None else ""]
    parts += [minutes([found.training_seconds]) if found.training_seconds else ""]
    parts += [f"{found.training_subjects} people" if found.training_subjects else ""]
    parts += [f"{found.parameters:,} parameters" if found.parameters is not None else ""]
    parts += [f"{found.multiply_adds / 1e6:.1f} M multiply-adds a pass" if found.multiply_adds is not None else ""]
    return ", ".join(part for part in parts if part)


def group_rows(groups: Mapping[str, Figures], prefix: str = "") -> list[list[str]]:
    """Rows of accuracies; the sum over groups is left out where there is only one."""
    return [
        [
            f"{prefix}{name}",
            str(group.subjects),
            str(group.volumes),
            str(group.slices),
            share(group.slices_single),
            share(group.slices_averaged),
            share(group.middle_averaged),
            share(group.volumes_averaged),
        ]
        for name, group in groups.items()
        if name != "all" or len(groups) > 2
    ]
