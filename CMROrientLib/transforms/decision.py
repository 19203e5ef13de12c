"""One decision for a case, which its images and label maps follow, and how it stands in a trace."""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict, get_args

from ..correction import Correction, GeometryMode, WantedOrder, correction_of, plan
from ..errors import CMROrientError, UsageError
from ..i18n import _
from ..orientation import Orientation
from ..recognition.recognizer import Recognizer, decided
from ..recognition.result import Recognition
from ..volume import Volume

#: What is done with a case that nobody should act on.
IfUnsure = Literal["warn", "leave", "raise"]


class Trace(TypedDict):
    """A ``CaseDecision`` in numbers and words, as traces are collated, copied and printed."""

    orientation: int
    geometry_class: int
    target: int
    reverse_slices: int
    reverse_slice_direction: int
    slice_axis: int
    decision: str
    confidence: float


@dataclass(frozen=True)
class CaseDecision:
    """What is done to every image of a case.

    Parameters
    ----------
    correction:
        Nothing where the case is left alone.
    slice_axis:
        The stored axis 0, 1 or 2 that its slices lie along.
    decision, confidence:
        Those of the recognition.
    """

    correction: Correction
    slice_axis: int
    decision: str
    confidence: float

    def to_trace(self) -> Trace:
        """How it stands in a trace."""
        return {
            "orientation": int(self.correction.orientation),
            "geometry_class": int(self.correction.geometry_class),
            "target": int(self.correction.target),
            "reverse_slices": int(self.correction.reverse_slices),
            "reverse_slice_direction": int(self.correction.reverse_slice_direction),
            "slice_axis": self.slice_axis,
            "decision": self.decision,
            "confidence": self.confidence,
        }

    @classmethod
    def from_trace(cls, trace: Trace) -> CaseDecision:
        """What ``to_trace`` gave; collating may have made tensors of the numbers."""
        correction = Correction(
            Orientation(int(trace["orientation"])),
            Orientation(int(trace["geometry_class"])),
            Orientation(int(trace["target"])),
            bool(trace["reverse_slices"]),
            bool(trace["reverse_slice_direction"]),
        )
        return cls(correction, int(trace["slice_axis"]), str(trace["decision"]), float(trace["confidence"]))


@dataclass(frozen=True)
class Decider:
    """Recognizes the one image of a case that speaks for all of it.

    Parameters
    ----------
    recognizer:
        A recognizer, or the name or path of its model. It is opened where it is first used, in each
        process anew: on the CPU, in the workers of a DataLoader on one thread each.
    geometry, target, slice_order:
        As ``correct`` takes them.
    skip_conflicts:
        Whether a case whose header contradicts the pixels is left alone.
    if_unsure:
        What happens where the decision is ``uncertain`` or ``not_short_axis``: the case is left as it is
        stored, with a warning (``warn``) or without (``leave``), or a CMROrientError (``raise``).

    Raises
    ------
    CMROrientError
        Where there is no such model.
    ValueError
        Where an option is none of its choices.
    """

    recognizer: Recognizer | str | Path = "universal"
    geometry: GeometryMode = "auto"
    target: Orientation | int = Orientation.IDENTITY
    slice_order: WantedOrder = "keep"
    skip_conflicts: bool = False
    if_unsure: IfUnsure = "warn"
    _opened: dict[int, Recognizer] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        plan(0, None, self.geometry, self.target)
        if self.slice_order not in get_args(WantedOrder):
            raise ValueError(f"the slice order is one of {', '.join(get_args(WantedOrder))}, not {self.slice_order!r}")
        if self.if_unsure not in get_args(IfUnsure):
            raise ValueError(f"if_unsure is one of {', '.join(get_args(IfUnsure))}, not {self.if_unsure!r}")
        if not isinstance(self.recognizer, Recognizer):
            from ..recognition.cards.model_files import find_model

            find_model(self.recognizer)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": {}}

    def __call__(self, volume: Volume, name: str, orientation: Orientation | int | None = None) -> CaseDecision:
        """Decide.

        Parameters
        ----------
        volume:
            The image that speaks for the case.
        name:
            What a message calls the case.
        orientation:
            The class that a person decided on; nothing is recognized then.

        Raises
        ------
        CMROrientError
            Where there is nothing to see in it, or nobody should act on it and ``if_unsure`` is ``raise``.
        """
        try:
            result = self._recognizer().recognize(volume) if orientation is None else decided(volume, orientation)
        except UsageError:
            raise
        except CMROrientError as error:
            raise CMROrientError(error.message, error.path or name) from error
        nothing = plan(0, 0, "follow")
        if self._acts_on(result, name):
            correction = correction_of(volume, result, self.geometry, self.target, self.slice_order)
        else:
            correction = nothing
        return CaseDecision(correction, volume.slice_axis, result.decision, result.confidence)

    def _acts_on(self, result: Recognition, name: str) -> bool:
        if result.acted_on:
            return not (self.skip_conflicts and result.conflict)
        if self.if_unsure == "raise":
            said = _("{words} Decide on its orientation, or leave the case out")
            raise CMROrientError(said.format(words=result.words), name)
        if self.if_unsure == "warn":
            warnings.warn(f"{name}: {result.words}", stacklevel=4)
        return False

    def _recognizer(self) -> Recognizer:
        if isinstance(self.recognizer, Recognizer):
            return self.recognizer
        process = os.getpid()
        if process not in self._opened:
            # A forked process inherits that of its parent, which may have taken all cores.
            threads = 1 if _in_worker() else None
            self._opened[process] = Recognizer(self.recognizer, "cpu", threads=threads)
        return self._opened[process]


def _in_worker() -> bool:
    """Whether this is a worker process of a DataLoader, of which there are as many as cores."""
    if "torch" not in sys.modules:
        return False
    from torch.utils.data import get_worker_info

    return get_worker_info() is not None
