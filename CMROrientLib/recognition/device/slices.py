"""The slices of a volume on the device that runs the network: their voxels go there once, as they are stored.

Imports torch: import this only where torch runs the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import CMROrientError
from ...i18n import _
from ...orientation import Orientation
from ...progress import Progress
from ..crops import Crop
from ..engines import TorchEngine
from ..preprocessing import Preprocessing
from .preprocessing import DevicePreprocessing, Prepared

#: Bytes of voxels, as float32, that are prepared at once; what is made of them on the way takes a few times as much.
_AT_ONCE = 256 * 2**20
#: Bytes of prepared voxels that stay on the device between the looks at one volume. More are sent again.
_KEPT = 512 * 2**20

#: Number types (kind and bytes) that go to a device as they are stored, and what torch takes them for there. It
#: reckons with few unsigned numbers: those of 2 and 4 bytes go as signed ones of the same bits.
_CARRIED = {
    "b1": torch.bool,
    "i1": torch.int8,
    "u1": torch.uint8,
    "i2": torch.int16,
    "u2": torch.int16,
    "i4": torch.int32,
    "u4": torch.int32,
    "i8": torch.int64,
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
}


class DeviceSlices:
    """Slices that the network's device prepares and shows to the network.

    Parameters
    ----------
    images:
        S ≥ 1 slices (rows, columns) on one grid, of one number type; or (S, rows, columns) on the device already.
    spacing:
        Distance of rows and of columns in mm.
    preprocessing:
        That of the network.
    engine:
        The network.
    """

    def __init__(
        self,
        images: Sequence[NDArray[Any]] | Tensor,
        spacing: tuple[float, float],
        preprocessing: Preprocessing,
        engine: TorchEngine,
    ) -> None:
        self.images, self.spacing, self.engine = images, spacing, engine
        self.preprocessing = DevicePreprocessing(preprocessing, engine.device)
        rows, columns = images[0].shape
        self._bytes = 4 * rows * columns
        self._at_once = max(1, min(engine.batch, _AT_ONCE // max(1, self._bytes)))
        self._inputs_at_once = engine.batch
        self._prepared: dict[int, Prepared] = {}

    def each(self, turns: NDArray[np.int_], crop: Crop | None = None) -> NDArray[np.float32]:
        """Outputs (S, outputs): each slice, whole or cropped, turned by a class of its own."""
        return self._outputs(turns[:, np.newaxis], crop, None)[:, 0]

    def all_of(self, turns: Sequence[Orientation], crop: Crop | None, progress: Progress | None) -> NDArray[np.float32]:
        """Outputs (S, G, outputs): each slice, whole or cropped, turned by all classes.

        Raises
        ------
        CMROrientError
            Where the device has too little memory for a single slice.
        """
        return self._outputs(np.broadcast_to(np.array(turns, int), (len(self.images), len(turns))), crop, progress)

    def _outputs(self, turns: NDArray[np.int_], crop: Crop | None, progress: Progress | None) -> NDArray[np.float32]:
        total = len(self.images)
        found: list[NDArray[np.float32]] = []
        start = 0
        with torch.inference_mode():
            while start < total:
                if progress is not None:
                    progress(start, total)
                some = self._some(start, min(start + self._at_once, total), turns, crop)
                if some is None:
                    self._take_less()
                    continue
                found.append(some)
                start += len(some)
        if progress is not None:
            progress(total, total)
        return np.concatenate(found)

    def _some(self, start: int, stop: int, turns: NDArray[np.int_], crop: Crop | None) -> NDArray[np.float32] | None:
        """Outputs (N, G, outputs) of some of the slices; None where the device has too little memory for them."""
        try:
            inputs = self.preprocessing.inputs(self._prepared_ones(start, stop), self.spacing, crop)
            classes = torch.from_numpy(turns[start:stop].copy()).to(self.engine.device)
            at_once = max(1, self._inputs_at_once // turns.shape[1])
            parts = [
                self.engine.run_there(self.preprocessing.turned(some, which).flatten(0, 1))
                for some, which in zip(inputs.split(at_once), classes.split(at_once), strict=True)
            ]
            outputs: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
            return outputs.reshape(stop - start, turns.shape[1], -1)
        except torch.cuda.OutOfMemoryError:
            # Nothing of it can be let go of before the error is.
            return None

    def _prepared_ones(self, start: int, stop: int) -> Prepared:
        kept = self._prepared.get(start)
        if kept is None:
            kept = self.preprocessing.prepared(self._voxels(start, stop))
            if sum(len(some.images) for some in (kept, *self._prepared.values())) * self._bytes <= _KEPT:
                self._prepared[start] = kept
        return kept

    def _voxels(self, start: int, stop: int) -> Tensor:
        some = self.images[start:stop]
        return some if isinstance(some, Tensor) else sent(some, self.engine.device)

    def _take_less(self) -> None:
        """Go on with half as much at once. Raises CMROrientError where that is nothing."""
        if self._at_once == 1 and self._inputs_at_once == 1:
            raise CMROrientError(
                _(
                    "the device has not enough memory for one slice ({device}); end other programs that use it, or "
                    "use the device 'cpu'"
                ).format(device=self.engine.description)
            )
        self._at_once, self._inputs_at_once = max(1, self._at_once // 2), max(1, self._inputs_at_once // 2)
        self._prepared.clear()
        if self.engine.is_cuda:
            torch.cuda.empty_cache()


def sent(images: Sequence[NDArray[Any]], device: torch.device) -> Tensor:
    """Slices of one shape and number type as one tensor (N, rows, columns) on a device, numbers that float32 rounds.

    They travel as they are stored; what torch has no type for travels as float32.
    """
    stored = np.asarray(images[0]).dtype
    code = f"{stored.kind}{stored.itemsize}"
    if code not in _CARRIED:
        with np.errstate(over="ignore"):
            images = [np.asarray(image).astype(np.float32) for image in images]
        code = "f4"
    # From such memory a device takes them by itself while this process goes on.
    buffer = torch.empty((len(images), *images[0].shape), dtype=_CARRIED[code], pin_memory=device.type == "cuda")
    np.stack(images, out=buffer.numpy().view(code))
    there = buffer.to(device, non_blocking=True)
    if code == "u2":
        return there.int() & 0xFFFF
    return there.long() & 0xFFFFFFFF if code == "u4" else there
