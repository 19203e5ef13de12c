"""What PyTorch prepares where the network runs is what numpy prepares: on the CPU, and on CUDA where there is one.

Pixels and grey levels have to be the same bit for bit. Inputs have a tolerance: mean and deviation of a slice are sums
of float32 in another order, whose rounding is some 1e-7 of the mean, and is divided by the deviation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.recognition.crops import FINER, Crop  # noqa: E402
from CMROrientLib.recognition.device.preprocessing import DevicePreprocessing  # noqa: E402
from CMROrientLib.recognition.device.slices import sent  # noqa: E402
from CMROrientLib.recognition.preprocessing import Preprocessing  # noqa: E402

#: Those of the bundled models, and what else a card can ask for.
WAYS = {
    "universal": Preprocessing(),
    "paper": Preprocessing.paper(),
    "odd": Preprocessing(size=61, gain=2.5),
    "linear": Preprocessing(size=32, contrast="linear"),
    "untrimmed": Preprocessing(size=48, trim=False),
    "one pixel": Preprocessing(size=1, contrast="linear", trim=False),
}
TYPES = ("u1", "i1", "u2", "i2", ">i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">f8", "b1")


@dataclass(frozen=True)
class Stack:
    """Slices as a reader might give them."""

    count: int
    rows: int
    columns: int
    kind: str = "i2"
    shows: str = "noise"
    padding: int = 0
    scale: float = 1000.0
    seed: int = 0

    def slices(self) -> NDArray[np.generic]:
        """(count, rows, columns); padding is another width on each slice."""
        random = np.random.default_rng(self.seed)
        shape = (self.count, self.rows, self.columns)
        values = {
            "noise": lambda: random.gamma(1.0, 0.2, shape),
            "signed": lambda: random.normal(0, 0.4, shape),
            "two values": lambda: (random.random(shape) > 0.99).astype(float),
            "constant": lambda: np.full(shape, 0.3),
            "a block": lambda: np.full(shape, 0.5),
            "ramp": lambda: np.broadcast_to(np.linspace(-1, 1, self.columns), shape).copy(),
        }[self.shows]()
        for n, image in enumerate(values):
            width = self.padding * (n % 3 + 1)
            image[:width] = image[len(image) - width // 2 :] = 0
            image[:, : width // 2] = image[:, image.shape[1] - width :] = 0
        if self.kind in ("f4", "f8", ">f8") and self.shows == "signed":
            values[0, 0, 0], values[-1, -1, -1] = np.nan, np.inf
        with np.errstate(all="ignore"):
            values = values * self.scale
            if np.dtype(self.kind).kind in "iu":
                limits = np.iinfo(self.kind)
                # Within what a double tells from the limits of 64 bits.
                values = np.clip(values, limits.min / 1.001, limits.max / 1.001)
            stored: NDArray[np.generic] = values.astype(self.kind)
        return stored


stacks = st.builds(
    Stack,
    st.integers(1, 4),
    st.integers(1, 150),
    st.integers(1, 150),
    st.sampled_from(TYPES),
    st.sampled_from(["noise", "signed", "two values", "constant", "a block", "ramp"]),
    st.sampled_from([0, 0, 1, 7, 20]),
    st.sampled_from([1e-30, 1.0, 200.0, 30000.0, 1e14, 1e16, 1e30]),
    st.integers(0, 99),
)
spacings = st.sampled_from([(1.0, 1.0), (1.4, 1.4), (0.7, 1.9), (-2.0, 1.0), (0.0, 1.0), (np.nan, 1.0), (1e-3, 40.0)])
crops = st.builds(
    Crop, st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1), st.floats(0.0, 0.6)), st.sampled_from([2.0, 2.5])
)


@pytest.fixture(scope="module", params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each device that there is."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    return torch.device(request.param)


def agree(way: Preprocessing, squares: NDArray[np.float32], found: torch.Tensor) -> None:
    """Whether inputs are those of numpy's squares."""
    channels = way.contrasted(squares).astype(np.float64)
    deviation = channels.std(axis=(1, 2, 3))
    # Numpy's own float32 mean is as far from the true one.
    rounding = 1e-6 * (1 + np.abs(channels).max(axis=(1, 2, 3)) / np.maximum(deviation, 1e-30))
    for expected, one, spread, tolerance in zip(
        way.normalise(squares), found.cpu().numpy(), deviation, rounding, strict=True
    ):
        # Where the deviation is about the limit below which it counts as none, either may be.
        if not 0.9e-6 < spread < 1.1e-6 and tolerance < 0.1:
            np.testing.assert_allclose(one, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@given(stacks, spacings, crops)
@example(Stack(3, 60, 50, "i2", "a block", 4), (1.0, 1.0), Crop((0.5, 0.5, 0.3), 2.5))
@example(Stack(3, 90, 120, "f4", "noise", 7), (0.7, 1.9), Crop((0.1, 0.9, 0.2), 2.5))
@example(Stack(2, 1, 1), (1.0, 1.0), Crop((0.5, 0.5, 0.3), 2.5))
@example(Stack(1, 600, 17, "u2", "noise", 0), (1.0, 1.0), Crop((0.5, 0.5, 0.3), 2.5))
@settings(max_examples=15, deadline=None)
def test_pixels_levels_and_inputs_are_numpys(
    device: torch.device, way: Preprocessing, stack: Stack, spacing: tuple[float, float], crop: Crop
) -> None:
    there = DevicePreprocessing(way, device)
    images = stack.slices()
    if way.size == 1:
        crop = crop._replace(heart=(0.5, 0.5, 1.0))
    close = [way.framed(way.prepared(image), spacing, FINER * way.size, crop.window) for image in images]
    with torch.inference_mode():
        prepared = there.prepared(sent(list(images), there.device))
        for part, squares in (
            (None, np.stack([way.square(image, spacing) for image in images])),
            (crop, np.stack([way.square(image) for image in close])),
        ):
            if part is None:
                made = there.framed(prepared, spacing, way.size)
                np.testing.assert_array_equal(made.cpu().numpy(), squares)
            else:
                cut = there.framed(prepared, spacing, FINER * way.size, part.window(FINER * way.size))
                np.testing.assert_array_equal(cut.cpu().numpy(), np.stack(close))
            levels = there.contrasted(torch.from_numpy(squares).to(there.device)).cpu().numpy()
            # The table of levels is a sum of float64, rounded to float32.
            np.testing.assert_allclose(levels, way.contrasted(squares), rtol=1.2e-7, atol=0)
            agree(way, squares, there.inputs(prepared, spacing, part))


@pytest.mark.parametrize("way", [WAYS["universal"], WAYS["paper"]], ids=["universal", "paper"])
def test_values_on_the_border_of_two_levels_go_to_numpys_side(device: torch.device, way: Preprocessing) -> None:
    """Whole numbers whose span shares a factor with the number of levels lie there, or next to it by rounding."""
    spans = np.arange(1, 4097)[:: 1 if device.type == "cuda" else 7]
    squares = (np.arange(64 * 64).reshape(1, 64, 64) % (spans[:, np.newaxis, np.newaxis] + 1)).astype(np.float32)
    with torch.inference_mode():
        found = DevicePreprocessing(way, device).contrasted(torch.from_numpy(squares).to(device)).cpu().numpy()
    np.testing.assert_allclose(found, way.contrasted(squares), rtol=1.2e-7, atol=0)


@pytest.mark.parametrize("kind", TYPES)
def test_voxels_arrive_as_numpy_reads_them(kind: str) -> None:
    """The extremes of each type too, which torch has for few unsigned ones."""
    if np.dtype(kind).kind in "iu":
        ends = np.iinfo(kind)
        stored = np.array([ends.min, ends.min + 1, 0, 1, ends.max // 2 + 1, ends.max - 1, ends.max], kind)
    else:
        stored = np.array([0, 1, 0.1, 65504, np.inf, -np.inf, 3]).astype(kind)
    images = stored.reshape(1, 1, -1)
    assert images.dtype == np.dtype(kind)
    # Turned stacks are views that run backwards.
    backwards = [image[:, ::-1] for image in images]
    found = sent(backwards, torch.device("cpu")).float().numpy()
    np.testing.assert_array_equal(found, np.stack(backwards).astype(np.float32))


@given(st.lists(st.lists(st.integers(0, 7), min_size=3, max_size=3), min_size=1, max_size=5), st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_copies_are_turned_as_the_group_turns_them(device: torch.device, turns: list[list[int]], size: int) -> None:
    there = DevicePreprocessing(WAYS["universal"], device)
    inputs = np.random.default_rng(size).normal(size=(len(turns), 2, size, size)).astype(np.float32)
    found = there.turned(*(torch.from_numpy(one).to(there.device) for one in (inputs, np.array(turns)))).cpu().numpy()
    for one, classes, copies in zip(inputs, turns, found, strict=True):
        for k, copy in zip(classes, copies, strict=True):
            np.testing.assert_array_equal(copy, Orientation(k).apply(one))


def test_a_constant_square_has_no_contrast_however_large_its_value(device: torch.device) -> None:
    way = Preprocessing(contrast="linear")
    constant = np.full((1, way.size, way.size), 123456.7, np.float32)
    assert not way.normalise(constant).any()
    assert not DevicePreprocessing(way, device).normalise(torch.from_numpy(constant).to(device)).any()
