"""Recognition: from the slices of a volume to one decision about its orientation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..adapters.images import Image, Spacing, to_volume
from ..errors import CMROrientError, UsageError
from ..i18n import _
from ..orientation import Orientation
from ..progress import Progress
from ..slice_order import FoundOrder
from ..volume import Volume
from .conflict import header_plane, hold_against_header
from .decision import (
    carried_back,
    confidence,
    log_probabilities,
    out_of_distribution,
    out_of_distribution_output,
    weigh,
)
from .engines import open_engine
from .header_plane import view_of
from .measures import SliceOrderEvidence, angle_of, margin_of, slice_order, weigh_levels
from .result import LOOKS, Decision, Looks, Recognition
from .slices import SLICES_LOOKED_AT, choose_slices
from .together import Look, count_places, decide_together, look_at_all, places_of

if TYPE_CHECKING:
    from .cards.model_files import ModelFiles
    from .engines import Engine
    from .inference import Answers, Inference

_CLASSES = len(Orientation)

#: Fewer places of slices than this are never decided on by an early look.
LEAST_PLACES = 3


class Recognizer:
    """Recognizes volumes with one network on one device.

    It may be handed to worker processes, forked or spawned ones: pickled, it is the paths of the model
    and the options, and each process opens the network itself.

    Parameters
    ----------
    model:
        A bundled model's name, or a path to one.
    device:
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    averaging:
        Test-time augmentation: whether each slice is looked at in eight turned copies, whose answers
        are turned back and averaged, and, with a model that finds the heart, once more in a crop round
        it: eight or sixteen times the work, and fewer errors.
    min_confidence:
        Below it a volume is ``uncertain``; the model's own limit where None.
    threads:
        CPU threads; all cores where None.
    looks:
        ``auto``: where one or two of its turned copies of each slice tell already how a volume is stored, by a
        rule that the model's card has for that, the others are not looked at. What is acted on so is what the
        average over all of them would act on. Where the card has no rule, the header tells another story, or
        there are few slices, all are looked at. ``full``: all, always.

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
        looks: Looks = "auto",
    ) -> None:
        from .cards.model_files import find_model

        check_min_confidence(min_confidence)
        check_looks(looks)
        self.model: ModelFiles = find_model(model)
        self.averaging, self.looks = averaging, looks
        self._rule = self.model.card.decision
        self.min_confidence = self._rule.min_confidence if min_confidence is None else min_confidence
        self._device, self._threads = device, threads
        # Not when it is first needed: what is wrong with model or device is said here.
        self._open()

    def _open(self) -> Inference:
        return self._inference

    @cached_property
    def _engine(self) -> Engine:
        return open_engine(self.model, self._device, self._threads)

    @cached_property
    def _inference(self) -> Inference:
        from .inference import Inference

        return Inference.of(self.model, self._engine)

    def __getstate__(self) -> dict[str, object]:
        state = {name: value for name, value in self.__dict__.items() if name not in ("_engine", "_inference")}
        # The other process may stand in another folder.
        onnx, weights = self.model.onnx.absolute(), self.model.safetensors.absolute()
        return {**state, "model": replace(self.model, onnx=onnx, safetensors=weights)}

    @property
    def device_description(self) -> str:
        """The device in words: "CPU", "CUDA: NVIDIA ..."."""
        return self._engine.description

    def recognize(
        self,
        image: Image,
        progress: Progress | None = None,
        *,
        spacing: Spacing | None = None,
        slice_axis: int | None = None,
    ) -> Recognition:
        """Find out how an image is stored.

        Parameters
        ----------
        image:
            One slice, a stack or a cine; a cine gets one decision over a spread of its phases. A ``Volume``,
            a SimpleITK or nibabel image, a numpy or torch array ``[slice, row, column]``, or a MONAI
            MetaTensor or torchio image; see ``adapters.images.to_volume``.
        progress:
            Called with (slices done, slices to do); what it raises ends the work.
        spacing:
            Of an array, in mm: one number, or one for each of its axes ``[slice, row, column]``.
        slice_axis:
            0, 1 or 2: the stored axis (0 fastest) that slices lie along; found where not given.

        Raises
        ------
        CMROrientError
            Where there is nothing to see in any slice.
        TypeError, ValueError
            For what is no image, or one whose axes do not fit.
        """
        volume = to_volume(image, spacing, slice_axis)
        if self._may_be_early(volume):
            return self._until_sure(volume, progress)
        return self.decide(self.look(volume, progress))

    def recognize_together(self, volumes: Sequence[Volume]) -> list[Recognition]:
        """Find out how volumes are stored that belong together: one decision, from the slices of all.

        Channels of a case, sequences on one grid or the series of one stack are such volumes. Where some are
        sure of different orientations by themselves, all are ``uncertain``. Single slices that lie one above
        the other have the order of their stack, counted as they are given.

        Returns
        -------
        A result for each: decision, orientation and confidence are the same, votes and header its own.

        Raises
        ------
        CMROrientError
            Where there is nothing to see in any slice of one of them.
        """
        numbers = [(number,) for number in range(len(volumes))]
        return decide_together(self, look_at_all(self, volumes, len(volumes)), numbers)

    def look(self, volume: Volume, progress: Progress | None = None, limit: int = SLICES_LOOKED_AT) -> Look:
        """Ask the network about the slices of a volume, in all copies; ``decide`` makes a result of it.

        Parameters
        ----------
        limit:
            About as many slices are looked at, and never fewer than the stack has.

        Raises
        ------
        CMROrientError
            Where there is nothing to see in any slice.
        """
        slices = self._chosen(volume, limit)
        answers = self._inference.answers(*_shown(volume, slices), self.averaging, progress)
        return Look.at(volume, slices, self._checked(answers))

    def _until_sure(self, volume: Volume, progress: Progress | None) -> Recognition:
        """The result for one volume by itself; looking ends as soon as the answer is sure."""
        slices = self._chosen(volume, SLICES_LOOKED_AT)
        if len(places_of(volume, slices)) < LEAST_PLACES:
            # Too many are blank: no early look would be enough.
            return self.decide(self.look(volume, progress))
        looks = self._inference.looks(*_shown(volume, slices), progress)
        look = Look.at(volume, slices, self._checked(next(looks)))
        while look.answers.look:
            found = self._found_early(look)
            if found is not None:
                if progress is not None:
                    progress(len(slices), len(slices))
                return found
            look = replace(look, answers=self._checked(next(looks)))
        return self.decide(look)

    def _chosen(self, volume: Volume, limit: int) -> NDArray[np.int_]:
        slices = choose_slices(volume, max(limit, min(volume.array.shape[-3], SLICES_LOOKED_AT)))
        if len(slices) == 0:
            raise CMROrientError(
                _("there is nothing to see in it: every slice has one value only; check how it was exported")
            )
        return slices

    def _may_be_early(self, volume: Volume) -> bool:
        """Whether a volume may be decided on before all copies are seen, as far as that can be told unseen."""
        asked = self.looks == "auto" and self.averaging and bool(self._rule.early)
        return asked and volume.header_state != "other_plane" and volume.array.shape[-3] >= LEAST_PLACES

    def _found_early(self, look: Look) -> Recognition | None:
        """What an early look tells; None where that is not enough. What the header contradicts never is."""
        if self._rule.early is None or look.answers.look > len(self._rule.early):
            return None
        found = self.decide(look)
        tells_order = look.answers.measures is not None and self._rule.slice_order is not None
        ordered = not tells_order or found.slice_order != "unknown"
        return found if found.acted_on and not found.conflict and ordered else None

    def order_of(
        self, levels: SliceOrderEvidence | None, look: int = 0, *, together: bool = False
    ) -> tuple[FoundOrder, float]:
        """The order of a stack by the levels of its slices, and the probability that it is right.

        Parameters
        ----------
        look:
            1 or 2 for the levels of an early look.
        together:
            Whether they are those of several images on one grid.
        """
        rule = self._rule.at(look)
        least = rule.least_slice_order_together if together else rule.least_slice_order
        return slice_order(levels, rule.slice_order, least)

    def is_sure(self, found: Recognition) -> bool:
        """Whether a result is beyond the model's own limit, whatever less the user is content with."""
        return found.confidence >= max(self.min_confidence, self._rule.min_confidence)

    def _checked(self, found: Answers) -> Answers:
        if not all(np.isfinite(part).all() for part in (found.logits, found.measures) if part is not None):
            raise CMROrientError(
                _(
                    "the model gives no finite numbers for it; use another model, or look for extreme values in the "
                    "image"
                ),
                self.model.onnx,
            )
        return found

    def decide(self, look: Look, group: Sequence[Look] = ()) -> Recognition:
        """Make a result of what the network said.

        Parameters
        ----------
        group:
            All that belong together, this one among them: class, confidence and decision come from their
            slices, their order and the angle from its own. Alone where empty.
        """
        volume, slices, answers = look.outline, look.slices, look.answers
        rule = self._rule.at(answers.look)
        members = group or (look,)
        turns = None if answers.copies is None else answers.turns
        copies = self._copies(answers.logits, turns)
        logits = np.concatenate([member.answers.logits for member in members]).astype(np.float64)
        evidence = weigh(copies if members == (look,) else self._copies(logits), answers.look)
        orientation = evidence.orientation
        sure = confidence(evidence, rule)
        mean = log_probabilities(copies.mean(axis=1))
        slice_classes = mean.argmax(axis=1)
        other = out_of_distribution(out_of_distribution_output(logits), evidence, rule)
        seen = other if logits.shape[-1] > _CLASSES else None
        plane = header_plane(volume)
        places = count_places(members)
        forbidden = plane.forbids(seen, rule.max_not_short_axis, sure, places, orientation)
        forbidden |= places == 1 and other > rule.most_alone
        # One decision for a group: where one plane makes it doubtful, it is.
        doubted = any(header_plane(one.outline).contradicts(other, rule.max_not_short_axis) for one in members)
        decision: Decision
        least = max(self.min_confidence, rule.min_confidence) if answers.look else self.min_confidence
        if other > rule.max_not_short_axis and not doubted:
            decision = "not_short_axis"
        elif sure < least or forbidden or doubted:
            decision = "uncertain"
        else:
            decision = "reoriented" if orientation else "standard"
        # What is most probably another view has a class that means nothing.
        held: Decision = "not_short_axis" if doubted else decision
        header, conflict, mirrored = hold_against_header(volume, orientation, held)
        order: FoundOrder = "unknown"
        order_sure, angle = 0.0, None
        if answers.measures is not None and decision != "not_short_axis":
            order, order_sure = self.order_of(weigh_levels(answers.measures, slices[:, 1]), answers.look)
            angle = angle_of(answers.measures, orientation, turns)
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
            header_slice_order=volume.header_slice_order,
            not_short_axis=other,
            slice_order=order,
            slice_order_confidence=order_sure,
            angle=angle,
            margin=None if angle is None else margin_of(angle),
            view=view_of(decision, seen, forbidden or doubted),
            preview=look.preview,
            inputs=answers.inputs,
            plane_contradicts=doubted,
        )

    def _copies(self, logits: NDArray[np.floating], turns: NDArray[np.int_] | None = None) -> NDArray[np.floating]:
        """(S, copies, 8) log-probabilities, classes carried back."""
        single = log_probabilities(logits.astype(np.float64), self._rule.temperature)
        return carried_back(single, turns) if self.averaging else single


def _shown(volume: Volume, slices: NDArray[np.int_]) -> tuple[list[NDArray[Any]], tuple[float, float]]:
    """The slices (phase, slice) as the network is to see them, and the distances of their rows and columns."""
    across, down = volume.grid.spacing[:2]
    stack = volume.array if volume.array.ndim == 4 else volume.array[np.newaxis]
    images = [stack[p, s] for p, s in slices]
    if volume.metadata.small_values_bright:
        images = [-np.asarray(image, np.float32) for image in images]
    return images, (down, across)


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
        header_slice_order=volume.header_slice_order,
        decided_by="user",
        view="short_axis",
    )


def check_looks(value: str) -> None:
    """Raise ``UsageError`` where somebody wants to look in a way that there is not."""
    if value not in LOOKS:
        raise UsageError(_("looks is one of {ways}, not {value!r}").format(ways=", ".join(LOOKS), value=value))


def check_min_confidence(value: float | None) -> None:
    """Raise ``UsageError`` where a limit is not 0 to 1."""
    if value is not None and not 0 <= value <= 1:
        raise UsageError(_("the least confidence is a number from 0 to 1, not {value}").format(value=value))
