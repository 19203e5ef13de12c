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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from ..i18n import _
from ..orientation import Orientation
from ..progress import Progress
from .measures import TURNED_BACK
from .preprocessing import Preprocessing

if TYPE_CHECKING:
    from .cards.model_files import ModelFiles
    from .engines import Engine

Forward = Callable[[NDArray[np.float32]], NDArray[np.float32]]

#: Sides of the squares that a crop is cut from, as a multiple of the network's input.
FINER = 2
#: Crops are never smaller than this share of a slice.
SMALLEST_CROP = 0.3
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
    """

    forward: Forward
    preprocessing: Preprocessing
    crop_diameters: float = 0.0
    outputs: int = 9
    measures: bool = False
    at_once: int = 8
    source: Path | None = None

    @classmethod
    def of(cls, model: ModelFiles, engine: Engine) -> Inference:
        """The network of a model, loaded."""
        card = model.card
        at_once = max(1, engine.batch // len(Orientation))
        measures = bool(card.architecture.measures)
        return cls(engine.run, card.preprocessing, card.crop_diameters, card.outputs, measures, at_once, model.onnx)

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
        return self._full(_Squares(images, spacing, self.preprocessing), averaging, progress)

    def looks(
        self,
        images: Sequence[NDArray[Any]],
        spacing: tuple[float, float] = (1.0, 1.0),
        progress: Progress | None = None,
    ) -> Iterator[Answers]:
        """Answers that rest on more and more: those of the early looks, and at last that of ``answers``.

        Whoever has seen enough stops. The parameters are those of ``answers``.
        """
        squares = _Squares(images, spacing, self.preprocessing)
        numbers = np.arange(len(images))
        turns = len(Orientation)
        if progress is not None:
            progress(0, len(images))
        copies = numbers[:, np.newaxis] % turns
        outputs = self._turned(squares.whole(numbers), copies[:, 0])[:, np.newaxis]
        self._check(outputs.shape[-1])
        found = replace(self._split(outputs), copies=copies, look=1, inputs=len(images))
        yield found
        if self.crop_diameters > 0:
            if progress is not None:
                progress(0, len(images))
            heart = place_of(outputs[..., self.outputs : self.outputs + PLACE], found.turns)
            more = (copies + CROP_TURNS_ON) % turns
            of_crops = self._turned(squares.close(numbers, heart, self.crop_diameters), more[:, 0])
            outputs = np.concatenate([outputs, of_crops[:, np.newaxis]], axis=1)
            copies = np.concatenate([copies, turns + more], axis=1)
            found = replace(self._split(outputs), copies=copies, look=2, inputs=2 * len(images))
            yield found
        full = self._full(squares, True, progress)
        yield replace(full, inputs=found.inputs + full.inputs)

    def _full(self, squares: _Squares, averaging: bool, progress: Progress | None) -> Answers:
        turns = list(Orientation) if averaging else [Orientation.IDENTITY]
        at_once = self.at_once * len(Orientation) // len(turns)
        cropped = averaging and self.crop_diameters > 0
        whole, close = _Part(progress, 0, 1 + cropped), _Part(progress, 1, 2)
        logits = turned_logits(
            self.forward, self.preprocessing, _Made(len(squares), squares.whole), turns, at_once, whole
        )
        self._check(logits.shape[-1])
        if cropped:
            heart = place_of(logits[..., self.outputs : self.outputs + PLACE])
            crops = _Made(len(squares), lambda numbers: squares.close(numbers, heart, self.crop_diameters))
            of_crops = turned_logits(self.forward, self.preprocessing, crops, turns, at_once, close)
            logits = np.concatenate([logits, of_crops], axis=1)
        return self._split(logits)

    def _split(self, outputs: NDArray[np.float32]) -> Answers:
        """All outputs (S, G, ...) as answers."""
        measures = outputs[..., -MEASURES:] if self.measures else None
        return Answers(outputs[..., : self.outputs], measures, inputs=outputs.shape[0] * outputs.shape[1])

    def _turned(self, squares: Sequence[NDArray[np.float32]], turns: NDArray[np.int_]) -> NDArray[np.float32]:
        """Outputs (N, ...) of squares, each turned by a class of its own."""
        inputs = self.preprocessing.normalise(np.stack(squares))
        copies = [Orientation(int(turn)).apply(one) for one, turn in zip(inputs, turns, strict=True)]
        return self.forward(np.stack(copies))

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


def crop(square: NDArray[np.float32], heart: tuple[float, float, float], diameters: float) -> NDArray[np.float32]:
    """The part of a square (side, side) round the heart; never beyond the square's edges.

    Turning the square and the heart's place turns the crop.
    """
    return square[crop_window(len(square), heart, diameters)]


def crop_window(side: int, heart: tuple[float, float, float], diameters: float) -> tuple[slice, slice]:
    """The rows and columns of a square's part round the heart."""
    width = int(np.clip(diameters * heart[2], SMALLEST_CROP, 1) * side) // 2 * 2
    left, top = (int(np.clip(round(middle * side - width / 2), 0, side - width)) for middle in heart[:2])
    return slice(top, top + width), slice(left, left + width)


class _Squares:
    """The slices of a volume as squares. What of a slice is resampled is found once, and whole squares are kept."""

    def __init__(
        self, images: Sequence[NDArray[Any]], spacing: tuple[float, float], preprocessing: Preprocessing
    ) -> None:
        self.images, self.spacing, self.preprocessing = images, spacing, preprocessing
        self._prepared: dict[int, NDArray[np.float32]] = {}
        self._whole: dict[int, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self.images)

    def whole(self, numbers: Iterable[int]) -> list[NDArray[np.float32]]:
        """Some slices."""
        for number in numbers:
            if number not in self._whole:
                self._whole[number] = self.preprocessing.framed(self._image(number), self.spacing)
        return [self._whole[number] for number in numbers]

    def close(
        self, numbers: Iterable[int], heart: tuple[float, float, float], diameters: float
    ) -> list[NDArray[np.float32]]:
        """Their crops round the heart."""
        finer = FINER * self.preprocessing.size
        # Their pixels are as wide as high, whatever the slice's are.
        return [
            self.preprocessing.square(
                self.preprocessing.framed(
                    self._image(number), self.spacing, finer, lambda side: crop_window(side, heart, diameters)
                )
            )
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
