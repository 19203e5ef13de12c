"""Inference with test-time augmentation: whole slices, and a crop round the heart, in turned copies.

In a full field of view the heart is small, and its ventricles, which tell left from right, are a few
pixels. A network that draws them says where they are; a crop round that place, the same for all
slices, is shown to it again. Whole slices and crops count alike.

Most volumes need less than that. Two early looks come first where they are asked for: each slice whole
in one of its turned copies, neighbours in different ones, so that the mean over a stack is nearly one
over the copies; then also its crop, in another copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from ..i18n import _
from ..orientation import Orientation
from ..progress import Progress
from .crops import FINER, Crop
from .engines import TorchEngine
from .measures import TURNED_BACK
from .preprocessing import Preprocessing

if TYPE_CHECKING:
    from .cards.model_files import ModelFiles
    from .engines import Engine

Forward = Callable[[NDArray[np.float32]], NDArray[np.float32]]

#: Outputs behind the logits of a network that finds the heart: column, row, diameter.
PLACE = 3
#: Outputs behind these of a network that measures: level, direction as (column, row).
MEASURES = 3
#: An early look shows slice n whole in the copy turned by class n % 8, and its crop in the one so many classes on.
CROP_TURNS_ON = 4


@dataclass(frozen=True)
class Answers:
    """What a network says about S slices in G copies.

    Parameters
    ----------
    logits:
        (S, G, 8 or 9). G is 1 without averaging, else 8 or 16: entry [s, g % 8] is about slice
        s turned by class g % 8, from 8 on cropped round the heart.
    measures:
        (S, G, 3) of a network that measures: level (0 at the apex, 1 at the base), and the direction
        (column, row) from right to left ventricle in that copy; None for others.
    copies:
        (S, G) of an early look: entry [s, g] is about copy ``copies[s, g]`` in the numbers above, 0 to 15; else None.
    look:
        1 or 2 for an early look, which G is then; 0 where nothing more can be looked at.
    inputs:
        How many inputs the network was shown for it, earlier looks counted.
    """

    logits: NDArray[np.float32]
    measures: NDArray[np.float32] | None = None
    copies: NDArray[np.int_] | None = None
    look: int = 0
    inputs: int = 0

    @property
    def turns(self) -> NDArray[np.int_]:
        """(S, G) the classes that turned the copies; without averaging there is one, as stored."""
        if self.copies is not None:
            return self.copies % len(Orientation)
        return np.broadcast_to(np.arange(self.logits.shape[1]) % len(Orientation), self.logits.shape[:2])


@dataclass(frozen=True)
class Inference:
    """A network with all that is needed to run it on slices.

    Parameters
    ----------
    forward:
        float32 (N, channels, size, size) to outputs (N, 8 or 9), as ``Engine.run``; three more
        at the end, the place of the heart, of a network that draws, and three behind these of one that measures.
    preprocessing:
        That of the network.
    crop_diameters:
        Side of the crop round the heart in the heart's diameters; 0 for networks that see whole slices only.
    outputs:
        Logits: 8 or 9.
    measures:
        Whether it measures.
    at_once:
        Slices run together.
    source:
        The model's file, for messages.
    there:
        The same network on a device that makes the inputs of slices, too, so that their voxels go there as they
        are stored; None where numpy makes them for ``forward``.
    """

    forward: Forward
    preprocessing: Preprocessing
    crop_diameters: float = 0.0
    outputs: int = 9
    measures: bool = False
    at_once: int = 8
    source: Path | None = None
    there: TorchEngine | None = None

    @classmethod
    def of(cls, model: ModelFiles, engine: Engine, *, prepares: bool | None = None) -> Inference:
        """The network of a model, loaded.

        Parameters
        ----------
        prepares:
            Whether the device that runs it makes its inputs, which PyTorch's engine can; where None, CUDA does.
        """
        card = model.card
        at_once = max(1, engine.batch // len(Orientation))
        measures = bool(card.architecture.measures)
        there = engine if isinstance(engine, TorchEngine) else None
        if there is not None and not (there.is_cuda if prepares is None else prepares):
            there = None
        return cls(
            engine.run, card.preprocessing, card.crop_diameters, card.outputs, measures, at_once, model.onnx, there
        )

    def __call__(
        self,
        images: Sequence[NDArray[Any]],
        spacing: tuple[float, float] = (1.0, 1.0),
        averaging: bool = True,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """The logits of ``answers``."""
        return self.answers(images, spacing, averaging, progress).logits

    def answers(
        self,
        images: Sequence[NDArray[Any]],
        spacing: tuple[float, float] = (1.0, 1.0),
        averaging: bool = True,
        progress: Progress | None = None,
    ) -> Answers:
        """What the network says about the slices of one volume.

        Parameters
        ----------
        images:
            S ≥ 1 slices (rows, columns) on one grid.
        spacing:
            Distance of rows and of columns in mm.
        averaging:
            Test-time augmentation: each slice in eight turned copies, whole and cropped; otherwise one pass over each.
        progress:
            Called with (slices done, slices).

        Raises
        ------
        CMROrientError
            Where the network gives another number of outputs than its card says.
        """
        return self._full(self._shown(images, spacing), averaging, progress)

    def looks(
        self,
        images: Sequence[NDArray[Any]],
        spacing: tuple[float, float] = (1.0, 1.0),
        progress: Progress | None = None,
    ) -> Iterator[Answers]:
        """Answers that rest on more and more: those of the early looks, and at last that of ``answers``.

        Whoever has seen enough stops. The parameters are those of ``answers``.
        """
        shown = self._shown(images, spacing)
        numbers = np.arange(len(images))
        turns = len(Orientation)
        if progress is not None:
            progress(0, len(images))
        copies = numbers[:, np.newaxis] % turns
        outputs = shown.each(copies[:, 0])[:, np.newaxis]
        self._check(outputs.shape[-1])
        found = replace(self._split(outputs), copies=copies, look=1, inputs=len(images))
        yield found
        if self.crop_diameters > 0:
            if progress is not None:
                progress(0, len(images))
            heart = place_of(outputs[..., self.outputs : self.outputs + PLACE], found.turns)
            more = (copies + CROP_TURNS_ON) % turns
            of_crops = shown.each(more[:, 0], Crop(heart, self.crop_diameters))
            outputs = np.concatenate([outputs, of_crops[:, np.newaxis]], axis=1)
            copies = np.concatenate([copies, turns + more], axis=1)
            found = replace(self._split(outputs), copies=copies, look=2, inputs=2 * len(images))
            yield found
        full = self._full(shown, True, progress)
        yield replace(full, inputs=found.inputs + full.inputs)

    def _shown(self, images: Sequence[NDArray[Any]], spacing: tuple[float, float]) -> _Shown:
        if self.there is None:
            return _Squares(images, spacing, self.preprocessing, self.forward, self.at_once)
        from .device.slices import DeviceSlices

        return DeviceSlices(images, spacing, self.preprocessing, self.there)

    def _full(self, shown: _Shown, averaging: bool, progress: Progress | None) -> Answers:
        turns = list(Orientation) if averaging else [Orientation.IDENTITY]
        cropped = averaging and self.crop_diameters > 0
        logits = shown.all_of(turns, None, _Part(progress, 0, 1 + cropped))
        self._check(logits.shape[-1])
        if cropped:
            heart = place_of(logits[..., self.outputs : self.outputs + PLACE])
            of_crops = shown.all_of(turns, Crop(heart, self.crop_diameters), _Part(progress, 1, 2))
            logits = np.concatenate([logits, of_crops], axis=1)
        return self._split(logits)

    def _split(self, outputs: NDArray[np.float32]) -> Answers:
        """All outputs (S, G, ...) as answers."""
        measures = outputs[..., -MEASURES:] if self.measures else None
        return Answers(outputs[..., : self.outputs], measures, inputs=outputs.shape[0] * outputs.shape[1])

    def _check(self, given: int) -> None:
        """Raise CMROrientError where the network does not fit its card."""
        drawn = self.outputs + PLACE
        expected = [drawn] if self.crop_diameters > 0 else [self.outputs, drawn]
        if self.measures:
            expected = [drawn + MEASURES]
        if given not in expected:
            said = _("the model gives {given} outputs, where its card speaks of {expected}; export it anew")
            raise CMROrientError(said.format(given=given, expected=expected[0]), self.source)


def turned_logits(
    forward: Forward,
    preprocessing: Preprocessing,
    squares: Sequence[NDArray[Any]] | NDArray[Any] | _Made,
    turns: Sequence[Orientation] = tuple(Orientation),
    at_once: int = 64,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Outputs (N, G, outputs) for N squares, entry [n, g] for the square turned by ``turns[g]``.

    Parameters
    ----------
    squares:
        (N, side, side); resampled where the side is not the input's.
    """
    parts = []
    for start in range(0, len(squares), at_once):
        if progress is not None:
            progress(start, len(squares))
        chosen = np.stack([np.asarray(square, np.float32) for square in squares[start : start + at_once]])
        if chosen.shape[1] != preprocessing.size:
            chosen = np.stack([preprocessing.square(square) for square in chosen])
        inputs = preprocessing.normalise(chosen)
        copies = np.stack([turn.apply(inputs) for turn in turns], axis=1)
        outputs = forward(np.ascontiguousarray(copies.reshape(-1, *inputs.shape[1:])))
        parts.append(outputs.reshape(len(chosen), len(turns), -1))
    if progress is not None:
        progress(len(squares), len(squares))
    return np.concatenate(parts)


def place_of(places: NDArray[np.floating], turns: NDArray[np.int_] | None = None) -> tuple[float, float, float]:
    """Where the heart of a stack lies: column, row and diameter, shares of the slice's side.

    Parameters
    ----------
    places:
        (S, G, 3) what the network says of each slice in turned copies. Slices in which it sees more of the
        heart count more.
    turns:
        (S, G) the classes that turned them; where None G is 8, and they are in their order.
    """
    turned = np.asarray(places, np.float64)
    centred = turned[..., [1, 0]] - 0.5
    if turns is None:
        back = np.stack([centred[:, g] @ g.inverse.matrix.T for g in Orientation], axis=1)
    else:
        back = (TURNED_BACK[turns] @ centred[..., np.newaxis])[..., 0]
    weight = turned[..., 2] ** 2 + 1e-9
    row, column = (back * weight[..., None]).sum((0, 1)) / weight.sum() + 0.5
    return float(column), float(row), float((turned[..., 2] * weight).sum() / weight.sum())


class _Shown(Protocol):
    """The slices of a volume, on their way to the network."""

    def each(self, turns: NDArray[np.int_], crop: Crop | None = None) -> NDArray[np.float32]:
        """Outputs (S, outputs): each slice, whole or cropped, turned by a class of its own."""

    def all_of(self, turns: Sequence[Orientation], crop: Crop | None, progress: Progress | None) -> NDArray[np.float32]:
        """Outputs (S, G, outputs): each slice, whole or cropped, turned by all classes."""


class _Squares:
    """Slices that numpy prepares. What of a slice is resampled is found once, and whole squares are kept."""

    def __init__(
        self,
        images: Sequence[NDArray[Any]],
        spacing: tuple[float, float],
        preprocessing: Preprocessing,
        forward: Forward,
        at_once: int,
    ) -> None:
        self.images, self.spacing, self.preprocessing = images, spacing, preprocessing
        self.forward, self.at_once = forward, at_once
        self._prepared: dict[int, NDArray[np.float32]] = {}
        self._whole: dict[int, NDArray[np.float32]] = {}

    def each(self, turns: NDArray[np.int_], crop: Crop | None = None) -> NDArray[np.float32]:
        """See ``_Shown``."""
        inputs = self.preprocessing.normalise(np.stack(self._squares(range(len(self.images)), crop)))
        copies = [Orientation(int(turn)).apply(one) for one, turn in zip(inputs, turns, strict=True)]
        return self.forward(np.stack(copies))

    def all_of(self, turns: Sequence[Orientation], crop: Crop | None, progress: Progress | None) -> NDArray[np.float32]:
        """See ``_Shown``."""
        squares = _Made(len(self.images), lambda numbers: self._squares(numbers, crop))
        at_once = self.at_once * len(Orientation) // len(turns)
        return turned_logits(self.forward, self.preprocessing, squares, turns, at_once, progress)

    def _squares(self, numbers: Iterable[int], crop: Crop | None) -> list[NDArray[np.float32]]:
        return self._whole_ones(numbers) if crop is None else self._close(numbers, crop)

    def _whole_ones(self, numbers: Iterable[int]) -> list[NDArray[np.float32]]:
        for number in numbers:
            if number not in self._whole:
                self._whole[number] = self.preprocessing.framed(self._image(number), self.spacing)
        return [self._whole[number] for number in numbers]

    def _close(self, numbers: Iterable[int], crop: Crop) -> list[NDArray[np.float32]]:
        finer = FINER * self.preprocessing.size
        # Their pixels are as wide as high, whatever the slice's are.
        return [
            self.preprocessing.square(self.preprocessing.framed(self._image(number), self.spacing, finer, crop.window))
            for number in numbers
        ]

    def _image(self, number: int) -> NDArray[np.float32]:
        if number not in self._prepared:
            self._prepared[number] = self.preprocessing.prepared(self.images[number])
        return self._prepared[number]


class _Made:
    """Squares that are made when their batch is due, so that progress is told between them."""

    def __init__(self, count: int, make: Callable[[Iterable[int]], list[NDArray[np.float32]]]) -> None:
        self.count, self.make = count, make

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, part: slice) -> list[NDArray[np.float32]]:
        return self.make(range(*part.indices(self.count)))


class _Part:
    """Progress of one pass of several."""

    def __init__(self, progress: Progress | None, index: int, count: int) -> None:
        self.progress, self.index, self.count = progress, index, count

    def __call__(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress((self.index * total + done) // self.count, total)
