"""Recognition: from the slices of a volume to one decision about its orientation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError, UsageError
from ..orientation import HeaderState, Orientation
from ..volume import Volume
from .decision import (
    DecisionRule,
    carried_back,
    confidence,
    confidence_words,
    log_probabilities,
    ninth_output,
    not_short_axis,
    weigh,
)
from .engines import open_engine

if TYPE_CHECKING:
    from .model_files import ModelFiles

Decision = Literal["standard", "reoriented", "uncertain", "not_short_axis"]
DecidedBy = Literal["network", "user"]
Progress = Callable[[int, int], None]

#: At most about this many slices of a volume are looked at; a stack has 5 to 20, a cine 20 to 500.
SLICES_LOOKED_AT = 60

_CLASSES = len(Orientation)


@dataclass(frozen=True, eq=False)
class Recognition:
    """What was found out about a volume with S slices looked at.

    Parameters
    ----------
    orientation:
        The class with the highest mean log-probability over the slices.
    votes:
        (8,) for how many slices each class was the most probable one.
    slice_probabilities:
        (S, 8) probabilities of the classes.
    slice_indices:
        (S, 2) pairs (phase, slice) that the rows belong to.
    agreement:
        (S,) share of the turned copies that name the slice's class; 1 without averaging.
    confidence:
        0 to 1.
    decision:
        ``standard`` and ``reoriented`` are acted on, ``uncertain`` and ``not_short_axis`` not.
    header_orientation, header_state:
        What the header claims; the class is None unless the state is ``known``.
    conflict:
        Pixels and header tell different stories.
    mirrored:
        They differ by a reflection.
    not_short_axis:
        Probability that it is no short-axis image; 0 for models that cannot tell.
    decided_by:
        ``network``, or ``user`` where somebody overrode it.
    """

    orientation: Orientation
    votes: NDArray[np.int_]
    slice_probabilities: NDArray[np.float64]
    slice_indices: NDArray[np.int_]
    agreement: NDArray[np.float64]
    confidence: float
    decision: Decision
    header_orientation: Orientation | None
    header_state: HeaderState
    conflict: bool
    mirrored: bool
    not_short_axis: float = 0.0
    decided_by: DecidedBy = "network"

    @property
    def acted_on(self) -> bool:
        """Whether a run corrects this volume."""
        return self.decision in ("standard", "reoriented")


class Recognizer:
    """Recognizes volumes with one network on one device.

    Parameters
    ----------
    model:
        A bundled model's name, or a path to one.
    device:
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    averaging:
        Whether each slice is looked at in eight turned copies, whose answers are turned back and
        averaged, and, with a model that finds the heart, once more from closer: eight or sixteen
        times the work, and fewer errors.
    min_confidence:
        Below it a volume is ``uncertain``; the model's own limit where None.
    threads:
        CPU threads; all cores where None.

    Raises
    ------
    CMROrientError
        Where there is no such model or device, or the limit is not 0 to 1.
    """

    def __init__(
        self,
        model: str | Path = "universal",
        device: str = "auto",
        averaging: bool = True,
        min_confidence: float | None = None,
        *,
        threads: int | None = None,
    ) -> None:
        from .inference import Looks
        from .model_files import find_model

        check_min_confidence(min_confidence)
        self.model: ModelFiles = find_model(model)
        self.averaging = averaging
        self._rule = DecisionRule.from_card(self.model.card.get("decision"))
        self.min_confidence = self._rule.min_confidence if min_confidence is None else min_confidence
        try:
            self._engine = open_engine(self.model, device, threads)
            self._looks = Looks.of(self.model, self._engine)
        except (TypeError, ValueError) as error:
            raise CMROrientError(f"the model's card is not for this version ({error})", self.model.onnx) from error

    @property
    def device_description(self) -> str:
        """The device in words: "CPU", "CUDA: NVIDIA ..."."""
        return self._engine.description

    def recognize(self, volume: Volume, progress: Progress | None = None) -> Recognition:
        """Find out how a volume is stored.

        Parameters
        ----------
        volume:
            One slice, a stack or a cine; a cine gets one decision over a spread of its phases.
        progress:
            Called with (slices done, slices to do); what it raises ends the work.

        Raises
        ------
        CMROrientError
            Where there is nothing to see in any slice.
        """
        slices = choose_slices(volume)
        if len(slices) == 0:
            raise CMROrientError("there is nothing to see in it: every slice has one value only")
        logits = self._logits(volume, slices, progress)
        return self._decide(volume, slices, logits)

    def _logits(self, volume: Volume, slices: NDArray[np.int_], progress: Progress | None) -> NDArray[np.float64]:
        """(S, copies, outputs) logits, the copies in the order of the classes that turned them."""
        across, down, _ = volume.grid.spacing
        stack = volume.array if volume.array.ndim == 4 else volume.array[np.newaxis]
        images = [stack[p, s] for p, s in slices]
        if getattr(volume.storage, "inverted", False):
            # MONOCHROME1: small values are shown bright.
            images = [-np.asarray(image, np.float32) for image in images]
        logits = self._looks(images, (down, across), self.averaging, progress)
        if not np.isfinite(logits).all():
            raise CMROrientError("the model gives no finite numbers for it", self.model.onnx)
        return logits.astype(np.float64)

    def _decide(self, volume: Volume, slices: NDArray[np.int_], logits: NDArray[np.float64]) -> Recognition:
        single = log_probabilities(logits, self._rule.temperature)
        copies = carried_back(single) if self.averaging else single
        evidence = weigh(copies)
        orientation = evidence.orientation
        sure = confidence(evidence, self._rule)
        mean = log_probabilities(copies.mean(axis=1))
        slice_classes = mean.argmax(axis=1)
        outsider = not_short_axis(ninth_output(logits), evidence, self._rule)
        decision: Decision
        if outsider > self._rule.max_not_short_axis:
            decision = "not_short_axis"
        elif sure < self.min_confidence:
            decision = "uncertain"
        else:
            decision = "reoriented" if orientation else "standard"
        header, conflict, mirrored = hold_against_header(volume, orientation, decision)
        return Recognition(
            orientation=orientation,
            votes=np.bincount(slice_classes, minlength=_CLASSES),
            slice_probabilities=np.exp(mean),
            slice_indices=slices,
            agreement=(copies.argmax(axis=2) == slice_classes[:, np.newaxis]).mean(axis=1),
            confidence=sure,
            decision=decision,
            header_orientation=header,
            header_state=volume.header_state,
            conflict=conflict,
            mirrored=mirrored,
            not_short_axis=outsider,
        )


def decided(volume: Volume, orientation: Orientation | int) -> Recognition:
    """The result where a user says how the volume is stored: no votes, confidence 1."""
    p = Orientation(orientation)
    decision: Decision = "reoriented" if p else "standard"
    header, conflict, mirrored = hold_against_header(volume, p, decision)
    return Recognition(
        orientation=p,
        votes=np.zeros(_CLASSES, int),
        slice_probabilities=np.zeros((0, _CLASSES)),
        slice_indices=np.zeros((0, 2), int),
        agreement=np.zeros(0),
        confidence=1.0,
        decision=decision,
        header_orientation=header,
        header_state=volume.header_state,
        conflict=conflict,
        mirrored=mirrored,
        decided_by="user",
    )


def hold_against_header(
    volume: Volume, orientation: Orientation, decision: Decision
) -> tuple[Orientation | None, bool, bool]:
    """The header's class, whether it contradicts the pixels, and whether by a mirror."""
    header = volume.header_orientation(orientation)
    if decision == "not_short_axis":
        # The class of what is no short-axis slice means nothing, so nothing contradicts it.
        return header, False, False
    if header is None:
        return None, volume.header_state == "other_plane" and decision in ("standard", "reoriented"), False
    return header, header != orientation, orientation.after(header.inverse).mirrors


def choose_slices(volume: Volume, limit: int = SLICES_LOOKED_AT) -> NDArray[np.int_]:
    """(S, 2) pairs (phase, slice) worth looking at; blank slices are left out.

    All slices at as many evenly spread phases as the limit allows. Of a single phase with more
    slices than that, an even spread over the middle four fifths, where the heart is.
    """
    from .preprocessing import is_blank

    stack = volume.array if volume.array.ndim == 4 else volume.array[np.newaxis]
    phases, slices = stack.shape[:2]
    if slices > limit:
        margin = min(slices // 10, (slices - limit) // 2)
        chosen = margin + _spread(slices - 2 * margin, limit)
    else:
        chosen = np.arange(slices)
    pairs = [(p, s) for p in _spread(phases, max(1, limit // len(chosen))) for s in chosen]
    seen = [pair for pair in pairs if not is_blank(stack[pair])]
    return np.array(seen, int).reshape(-1, 2)


def check_min_confidence(value: float | None) -> None:
    """Raise ``UsageError`` where a limit is not 0 to 1."""
    if value is not None and not 0 <= value <= 1:
        raise UsageError(f"the least confidence is a number from 0 to 1, not {value}")


def _spread(count: int, wanted: int) -> NDArray[np.int_]:
    wanted = min(count, wanted)
    return ((np.arange(wanted) + 0.5) * count / wanted).astype(int)


def words(recognition: Recognition) -> str:
    """The result in a sentence or two, for panel, report and command line."""
    if recognition.decision == "not_short_axis":
        return "This does not look like a short-axis image; it is left alone."
    return f"{_pixels_in_words(recognition)} {_header_in_words(recognition)}"


def _pixels_in_words(recognition: Recognition) -> str:
    p = recognition.orientation
    stored = "Stored in standard orientation" if p is Orientation.IDENTITY else f"Stored {p.label}"
    if recognition.decided_by == "user":
        return f"{stored}, as the user decided."
    total = len(recognition.slice_indices)
    count = f"{recognition.votes[p]} of {total} slice{'' if total == 1 else 's'}"
    if recognition.decision == "uncertain":
        return (
            f"Uncertain: most probably {stored[0].lower()}{stored[1:]} "
            f"({count}, confidence {confidence_words(recognition.confidence)}); it is left alone."
        )
    return f"{stored}: {count}, confidence {confidence_words(recognition.confidence)}."


def _header_in_words(recognition: Recognition) -> str:
    h = recognition.header_orientation
    if recognition.header_state == "other_plane":
        return "The header names another plane than the short axis."
    if h is None:
        return "The header says nothing about the orientation."
    claim = "in standard orientation" if h is Orientation.IDENTITY else h.label
    if h == recognition.orientation:
        return "The header says the same."
    if not recognition.acted_on:
        return f"The header says stored {claim}."
    if recognition.mirrored:
        return (
            "Pixels and header differ by a mirror: left and right are exchanged in one of them, "
            "or the header has the slice's viewing side wrong."
        )
    return f"The header contradicts this: it says stored {claim}."
