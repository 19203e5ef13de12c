"""Stacks as a network saw them, in early looks and in all copies: measured once and kept in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io.atomic import replacing
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.inference import Answers, Inference

#: The early looks.
LOOKS = (1, 2)


@dataclass(frozen=True, eq=False)
class Stack:
    """A stack that is to be shown.

    Parameters
    ----------
    kind:
        ``volume``, what was done to one, or what else it is.
    subject:
        Whose it is.
    images:
        Slices (rows, columns), none of them blank.
    numbers:
        Their places in the stack.
    spacing:
        Distances of rows and columns in mm.
    truth:
        The class that it is stored in; None where it is no short axis.
    counts:
        Whether its class is beyond doubt.
    base_first:
        Which end of the heart the first slice is nearer to; None where nobody knows.
    """

    kind: str
    subject: str
    images: Sequence[NDArray[Any]]
    numbers: NDArray[np.int_]
    spacing: tuple[float, float] = (1.0, 1.0)
    truth: Orientation | None = None
    counts: bool = True
    base_first: bool | None = None

    def turned(self, k: Orientation) -> Stack:
        """The same stored in class k; it is stored in class 0."""
        spacing = self.spacing[::-1] if k.exchanges_axes else self.spacing
        images = [k.apply(image) for image in self.images]
        return Stack(self.kind, self.subject, images, self.numbers, spacing, k, self.counts, self.base_first)


@dataclass(frozen=True, eq=False)
class SeenStack:
    """What a network said about a stack, see ``Stack`` and ``recognition.inference.Answers``.

    Parameters
    ----------
    early:
        Of the last early look; the first column is that of the first.
    full:
        Of all copies.
    """

    kind: str
    subject: str
    numbers: NDArray[np.int_]
    truth: Orientation | None
    counts: bool
    base_first: bool | None
    early: Answers
    full: Answers

    def answers(self, look: int) -> Answers:
        """Of an early look, or for 0 of all copies."""
        if not look:
            return self.full
        early, copies = self.early, self.early.copies
        assert copies is not None
        measures = None if early.measures is None else early.measures[:, :look]
        inputs = look * len(early.logits)
        return Answers(early.logits[:, :look], measures, copies[:, :look], look, inputs)

    def part(self, rows: NDArray[np.int_] | slice) -> SeenStack:
        """Some of its slices, as they were seen beside the others."""
        return SeenStack(
            self.kind,
            self.subject,
            self.numbers[rows],
            self.truth,
            self.counts,
            self.base_first,
            _rows(self.early, rows),
            _rows(self.full, rows),
        )


def _rows(answers: Answers, rows: NDArray[np.int_] | slice) -> Answers:
    return Answers(
        answers.logits[rows],
        None if answers.measures is None else answers.measures[rows],
        None if answers.copies is None else answers.copies[rows],
        answers.look,
        answers.inputs,
    )


def see(inference: Inference, stack: Stack) -> SeenStack:
    """Show a network one stack, as ``Recognizer`` does."""
    *early, full = inference.looks(stack.images, stack.spacing)
    last = early[-1]
    if last.look != LOOKS[-1]:
        raise CMROrientError("only networks that look twice, at slices and at crops, have two early looks")
    full = replace(full, inputs=full.logits.shape[0] * full.logits.shape[1])
    return SeenStack(stack.kind, stack.subject, stack.numbers, stack.truth, stack.counts, stack.base_first, last, full)


def see_in_all_classes(inference: Inference, stack: Stack) -> Iterator[SeenStack]:
    """Show a stack that is stored in class 0 as stored in each class; all its copies are the same then."""
    standard = see(inference, stack)
    yield standard
    for k in list(Orientation)[1:]:
        turned = stack.turned(k)
        looks = inference.looks(turned.images, turned.spacing)
        early = next(looks)
        early = next(looks)
        again = np.array([int(g.after(k)) for g in Orientation])
        order = np.concatenate([again, len(Orientation) + again])
        full = Answers(
            standard.full.logits[:, order],
            None if standard.full.measures is None else standard.full.measures[:, order],
            inputs=standard.full.inputs,
        )
        yield SeenStack(stack.kind, stack.subject, stack.numbers, k, stack.counts, stack.base_first, early, full)


@dataclass(frozen=True)
class _Arrays:
    """Many seen stacks in one file: a row for each stack, and one for each slice."""

    kind: NDArray[np.str_]
    subject: NDArray[np.str_]
    slices: NDArray[np.int_]
    truth: NDArray[np.int_]
    counts: NDArray[np.bool_]
    base_first: NDArray[np.int_]
    numbers: NDArray[np.int_]
    early: NDArray[np.float32]
    copies: NDArray[np.int_]
    full: NDArray[np.float32]


def save(path: Path, stacks: Sequence[SeenStack]) -> None:
    """Write as ``.npz``, whole or not at all."""
    arrays = _Arrays(
        kind=np.array([one.kind for one in stacks]),
        subject=np.array([one.subject for one in stacks]),
        slices=np.array([len(one.numbers) for one in stacks]),
        truth=np.array([-1 if one.truth is None else int(one.truth) for one in stacks]),
        counts=np.array([one.counts for one in stacks], bool),
        base_first=np.array([-1 if one.base_first is None else int(one.base_first) for one in stacks]),
        numbers=np.concatenate([one.numbers for one in stacks]),
        early=np.concatenate([one.early.logits for one in stacks]),
        copies=np.concatenate([np.asarray(one.early.copies) for one in stacks]),
        full=np.concatenate([one.full.logits for one in stacks]),
    )
    measures = {}
    if stacks[0].full.measures is not None:
        measures["early_measures"] = np.concatenate([np.asarray(one.early.measures) for one in stacks])
        measures["full_measures"] = np.concatenate([np.asarray(one.full.measures) for one in stacks])
    with replacing([path]) as (stream,):
        np.savez_compressed(stream, allow_pickle=False, **vars(arrays), **measures)


def load(path: Path) -> list[SeenStack]:
    """Read what ``save`` wrote. Raises CMROrientError where it is something else."""
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = _Arrays(**{one.name: data[one.name] for one in fields(_Arrays)})
            early_measures, full_measures = data.get("early_measures"), data.get("full_measures")
    except (OSError, KeyError, ValueError) as error:
        raise CMROrientError(f"these are no stacks that a network saw ({error})", path) from error
    ends = np.cumsum(arrays.slices)
    found = []
    for n, (end, count) in enumerate(zip(ends, arrays.slices, strict=True)):
        rows = slice(int(end - count), int(end))
        early = Answers(
            arrays.early[rows],
            None if early_measures is None else early_measures[rows],
            arrays.copies[rows],
            LOOKS[-1],
            LOOKS[-1] * int(count),
        )
        full = arrays.full[rows]
        found.append(
            SeenStack(
                str(arrays.kind[n]),
                str(arrays.subject[n]),
                arrays.numbers[rows],
                None if arrays.truth[n] < 0 else Orientation(int(arrays.truth[n])),
                bool(arrays.counts[n]),
                None if arrays.base_first[n] < 0 else bool(arrays.base_first[n]),
                early,
                Answers(
                    full,
                    None if full_measures is None else full_measures[rows],
                    inputs=full.shape[0] * full.shape[1],
                ),
            )
        )
    return found
