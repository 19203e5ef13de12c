"""What a network says about slices in all eight orientations, kept so that every figure comes from it.

The test volumes are stored in the standard orientation. A slice that is stored in class k is the
standard one turned by k, so one run over the eight turned copies answers for all eight stored
orientations, with and without averaging: preprocessing commutes with turning.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...io.atomic import replacing
from ...progress import Progress
from ...recognition.decision import carried_back, log_probabilities
from ...recognition.inference import Answers, Inference
from ...recognition.preprocessing import is_blank
from ...recognition.slices import middle_slices
from ..cases import Case
from ..slices import read_slices


class _StoredCaseOfOld(TypedDict):
    path: str
    mask: str | None
    dataset: str
    subject: str
    sequence: str
    vendor: str
    angle: float | None
    margin: float | None
    mask_values: list[int] | None


class _StoredCase(_StoredCaseOfOld, total=False):
    base_first: bool | None


@dataclass(frozen=True)
class Predictions:
    """Logits for the slices of many cases.

    Parameters
    ----------
    logits:
        (S, 8, outputs): entry [s, k] is what the network says about slice s stored in class k. Of a
        network that crops round the heart, (S, 16, outputs): [s, 8 + k] is what it says about the crop.
    case:
        (S,) index into ``cases``.
    slice_:
        (S,) index of the slice in its volume, blank ones counted.
    cases:
        The cases.
    slices:
        (number of cases,) slices of each volume, blank ones counted.
    measures:
        (S, 8 or 16, 3) of a network that measures (``recognition.inference.Answers``); None for others.
    """

    logits: NDArray[np.float32]
    case: NDArray[np.int_]
    slice_: NDArray[np.int_]
    cases: tuple[Case, ...]
    slices: NDArray[np.int_]
    measures: NDArray[np.float32] | None = None

    @property
    def subjects(self) -> list[str]:
        """(S,) who each slice belongs to."""
        return [self.cases[index].subject for index in self.case]

    @property
    def middle(self) -> NDArray[np.bool_]:
        """(S,) whether a slice is one of the middle ones of its stack."""
        return middle_slices(self.slice_, self.slices[self.case])

    def by_volume(self) -> list[NDArray[np.float32]]:
        """The logits (slices, copies, outputs) of each case; none of the cases is without a slice."""
        return [self.logits[self.case == index] for index in range(len(self.cases))]

    def of(self, chosen: Callable[[Case], bool]) -> Predictions:
        """The slices of the chosen cases only."""
        keep = np.array([chosen(case) for case in self.cases], bool)
        new = np.cumsum(keep) - 1
        rows = keep[self.case]
        return Predictions(
            self.logits[rows],
            new[self.case[rows]],
            self.slice_[rows],
            tuple(case for case, kept in zip(self.cases, keep, strict=True) if kept),
            self.slices[keep],
            None if self.measures is None else self.measures[rows],
        )

    def joined(self, other: Predictions) -> Predictions:
        """The slices of both, as of two networks that were judged on different people."""
        return Predictions(
            np.concatenate([self.logits, other.logits]),
            np.concatenate([self.case, other.case + len(self.cases)]),
            np.concatenate([self.slice_, other.slice_]),
            self.cases + other.cases,
            np.concatenate([self.slices, other.slices]),
            None
            if self.measures is None or other.measures is None
            else np.concatenate([self.measures, other.measures]),
        )

    def save(self, path: Path) -> None:
        """Write as ``.npz``, whole or not at all."""
        cases = [{**asdict(case), "path": str(case.path), "mask": case.mask and str(case.mask)} for case in self.cases]
        with replacing([path]) as (stream,):
            np.savez(
                stream,
                allow_pickle=False,
                logits=self.logits,
                case=self.case,
                slice=self.slice_,
                slices=self.slices,
                cases=np.array(json.dumps(cases)),
                **({} if self.measures is None else {"measures": self.measures}),
            )

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read what ``save`` wrote. Raises CMROrientError where it is something else."""
        try:
            with np.load(path, allow_pickle=False) as data:
                cases = [_case(entry) for entry in json.loads(str(data["cases"]))]
                measures = data.get("measures")
                return cls(data["logits"], data["case"], data["slice"], tuple(cases), data["slices"], measures)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise CMROrientError(f"these are no stored predictions ({error})", path) from error


def _case(entry: _StoredCase) -> Case:
    """A case from what ``Predictions.save`` wrote."""
    values, mask = entry["mask_values"], entry["mask"]
    return Case(
        path=Path(entry["path"]),
        mask=Path(mask) if mask else None,
        dataset=entry["dataset"],
        subject=entry["subject"],
        sequence=entry["sequence"],
        vendor=entry["vendor"],
        angle=entry["angle"],
        margin=entry["margin"],
        mask_values=(values[0], values[1], values[2]) if values else None,
        base_first=entry.get("base_first"),
    )


def predict(
    inference: Inference, cases: Sequence[Case], progress: Progress | None = None, *, alone: bool = False
) -> Predictions:
    """Run a network over all slices of all cases that are not blank.

    Parameters
    ----------
    inference:
        The network.
    cases:
        Volumes in the standard orientation.
    progress:
        Called with (cases done, cases).
    alone:
        Take each slice as a volume of one slice, without help from its neighbours.
    """
    found: list[Answers] = []
    owners, numbers, counts = [], [], []
    for index, case in enumerate(cases):
        slices, spacing = read_slices(case)
        shown = [number for number, plane in enumerate(slices) if not is_blank(plane)]
        counts.append(len(slices))
        if shown:
            groups = [[number] for number in shown] if alone else [shown]
            found += [inference.answers([slices[number] for number in group], spacing) for group in groups]
            owners += [index] * len(shown)
            numbers += shown
        if progress is not None:
            progress(index + 1, len(cases))
    if not found:
        raise CMROrientError("there is nothing to see in any of these volumes")
    measures = [one.measures for one in found if one.measures is not None]
    return Predictions(
        np.concatenate([one.logits for one in found]),
        np.array(owners),
        np.array(numbers),
        tuple(cases),
        np.array(counts, dtype=int),
        np.concatenate(measures) if measures else None,
    )


def slice_log_probabilities(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """(S, 8 or 16 copies, 8 classes) log-probabilities of slices stored in class 0, classes carried back."""
    return np.asarray(carried_back(log_probabilities(logits, temperature)), np.float64)
