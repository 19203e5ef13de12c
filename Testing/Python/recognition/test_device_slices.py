"""Slices that the network's device prepares: what is told of them is what is told where numpy prepares them.

On the CPU by PyTorch, and on CUDA where there is one. Engines add up in another order: log-probabilities agree to 1e-3.
What is left to preprocessing, which one engine shows with both preparations, is less than a tenth of it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_study import MODEL, phantom

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from CMROrientLib.errors import CMROrientError  # noqa: E402
from CMROrientLib.io import read  # noqa: E402
from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.recognition.cards.model_files import find_model  # noqa: E402
from CMROrientLib.recognition.crops import Crop  # noqa: E402
from CMROrientLib.recognition.decision import log_probabilities  # noqa: E402
from CMROrientLib.recognition.device import slices as device_slices  # noqa: E402
from CMROrientLib.recognition.device.slices import DeviceSlices  # noqa: E402
from CMROrientLib.recognition.engines import OnnxEngine, TorchEngine, open_engine  # noqa: E402
from CMROrientLib.recognition.inference import Answers, Inference  # noqa: E402
from CMROrientLib.recognition.recognizer import Recognizer  # noqa: E402
from CMROrientLib.recognition.result import Looks, Recognition  # noqa: E402


@pytest.fixture(scope="module", params=["torch-cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> str:
    """Each device of PyTorch that there is."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    return str(request.param)


@pytest.fixture
def engine(device: str) -> TorchEngine:
    opened = open_engine(find_model(MODEL), device)
    assert isinstance(opened, TorchEngine)
    return opened


def slices(count: int = 5, stored: int = 0) -> tuple[list[NDArray[np.int16]], tuple[float, float]]:
    """A heart's slices, and the distances of their rows and columns."""
    volume = phantom(stored, slices=count)
    across, down = volume.grid.spacing[:2]
    return list(volume.array), (down, across)


def same(found: Answers, expected: Answers, tolerance: float) -> None:
    """Whether two answers are the same but for the rounding of their numbers."""
    for logits in (found.logits, expected.logits):
        assert np.isfinite(logits).all()
    np.testing.assert_allclose(
        log_probabilities(found.logits.astype(float)), log_probabilities(expected.logits.astype(float)), atol=tolerance
    )
    assert (found.measures is None) == (expected.measures is None)
    if found.measures is not None and expected.measures is not None:
        np.testing.assert_allclose(found.measures, expected.measures, atol=tolerance)
    np.testing.assert_array_equal(found.turns, expected.turns)
    assert (found.look, found.inputs) == (expected.look, expected.inputs)


@pytest.mark.parametrize("name", [MODEL, "cine"])
def test_one_network_says_the_same_of_both_preparations(device: str, name: str) -> None:
    model = find_model(name)
    opened = open_engine(model, device)
    there, here = (Inference.of(model, opened, prepares=prepares) for prepares in (True, False))
    for stored in (0, 5):
        images, spacing = slices(1 if name == "cine" else 3, stored)
        for averaging in (True, False):
            same(*(one.answers(images, spacing, averaging) for one in (there, here)), tolerance=1e-4)


def test_early_looks_are_those_of_numpy(device: str) -> None:
    model = find_model(MODEL)
    opened = open_engine(model, device)
    images, spacing = slices(5, 6)
    looks = [list(Inference.of(model, opened, prepares=prepares).looks(images, spacing)) for prepares in (True, False)]
    assert [answers.look for answers in looks[0]] == [1, 2, 0]
    for found, expected in zip(*looks, strict=True):
        same(found, expected, 1e-4)


def test_only_cuda_prepares_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model = find_model(MODEL)
    assert Inference.of(model, OnnxEngine(model.onnx, 1)).there is None
    opened = open_engine(model, "torch-cpu")
    assert Inference.of(model, opened).there is None
    monkeypatch.setattr(TorchEngine, "is_cuda", property(lambda _: True))
    assert Inference.of(model, opened).there is opened


def test_voxels_are_sent_once_as_they_are_stored(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped: list[tuple[int, np.dtype[np.generic]]] = []
    real = device_slices.sent

    def counted(images: Sequence[NDArray[np.generic]], device: torch.device) -> torch.Tensor:
        shipped.append((len(images), images[0].dtype))
        return real(images, device)

    monkeypatch.setattr(device_slices, "sent", counted)
    images, spacing = slices(5)
    assert len(list(Inference.of(find_model(MODEL), engine, prepares=True).looks(images, spacing))) == 3
    assert shipped == [(5, np.dtype(np.int16))]


def outputs(engine: TorchEngine, change: Callable[[DeviceSlices], None] = lambda _: None) -> list[NDArray[np.float32]]:
    """What is said of seven slices, whole in all copies and cropped in one."""
    images, spacing = slices(7)
    shown = DeviceSlices(images, spacing, find_model(MODEL).card.preprocessing, engine)
    change(shown)
    return [
        shown.all_of(list(Orientation), None, None),
        shown.each(np.arange(7) % 8, Crop((0.5, 0.4, 0.2), 2.5)),
        shown.all_of([Orientation.ROTATE_90], None, None),
    ]


def test_how_many_are_prepared_at_once_changes_nothing(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outputs(engine)
    monkeypatch.setattr(device_slices, "_AT_ONCE", 3 * 4 * slices(1)[0][0].size)
    monkeypatch.setattr(device_slices, "_KEPT", 0)
    made: list[DeviceSlices] = []
    for found, one in zip(outputs(engine, made.append), expected, strict=True):
        np.testing.assert_allclose(found, one, atol=1e-4)
    assert made[0]._at_once == 3
    assert not made[0]._prepared


class SmallDevice(TorchEngine):
    """An engine whose device has memory for so many inputs at once."""

    def __init__(self, engine: TorchEngine, most: int) -> None:
        self.__dict__.update(engine.__dict__)
        self.most = most
        self.refused = 0

    def run_there(self, inputs: torch.Tensor) -> torch.Tensor:
        if len(inputs) > self.most:
            self.refused += 1
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return super().run_there(inputs)


def test_less_is_done_at_once_where_memory_is_short(engine: TorchEngine) -> None:
    small = SmallDevice(engine, 3)
    seen: list[tuple[int, int]] = []
    images, spacing = slices(7)
    shown = DeviceSlices(images, spacing, find_model(MODEL).card.preprocessing, small)
    found = shown.all_of([Orientation(2)], None, lambda done, total: seen.append((done, total)))
    assert small.refused > 0
    expected = DeviceSlices(images, spacing, find_model(MODEL).card.preprocessing, engine)
    np.testing.assert_allclose(found, expected.all_of([Orientation(2)], None, None), atol=1e-4)
    assert seen[-1] == (7, 7) and [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_too_little_memory_for_one_slice_is_told(engine: TorchEngine) -> None:
    with pytest.raises(CMROrientError, match=r"not enough memory for one slice .*use the device 'cpu'"):
        outputs(SmallDevice(engine, 0))


def test_progress_counts_slices_once_and_what_it_raises_ends_the_work(engine: TorchEngine) -> None:
    seen: list[tuple[int, int]] = []
    inference = Inference.of(find_model(MODEL), engine, prepares=True)
    images, spacing = slices(5)
    inference.answers(images, spacing, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 5) and seen[-1] == (5, 5)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inference.answers(images, spacing, progress=stop)


def recognizer(device: str, looks: Looks = "auto") -> Recognizer:
    """One whose device prepares."""
    made = Recognizer(device=device, looks=looks)
    made._inference = Inference.of(made.model, made._engine, prepares=True)
    return made


def test_an_image_with_nothing_to_see_is_refused_as_on_the_cpu(device: str) -> None:
    blank = phantom(0, slices=3)
    for value in (7.0, np.nan):
        empty = replace(blank, array=np.full(blank.array.shape, value, np.float32))
        said = []
        for made in (recognizer(device), Recognizer(device="cpu")):
            with pytest.raises(CMROrientError) as told:
                made.recognize(empty)
            said.append(str(told.value))
        assert said[0] == said[1]


def told(found: Recognition) -> tuple[object, ...]:
    """What a user reads of a result."""
    return found.orientation, found.decision, found.conflict, found.slice_order, found.view, found.inputs


def test_on_real_volumes_what_is_told_is_what_the_cpu_tells(device: str, data_root: Path) -> None:
    """Volumes of all sources, each stored in another class; every third is looked at in full."""
    with (data_root / "index.csv").open(encoding="utf-8", newline="") as stream:
        paths = [data_root / row["path"] for row in csv.DictReader(stream)][::36]
    ways: list[Looks] = ["auto", "full"]
    there = {looks: recognizer(device, looks) for looks in ways}
    here = {looks: Recognizer(device="cpu", looks=looks) for looks in ways}
    for number, path in enumerate(paths):
        looks = ways[number % 3 == 2]
        k = Orientation(number % len(Orientation))
        stored = read(path).reindexed(k, k)
        found, expected = there[looks].recognize(stored), here[looks].recognize(stored)
        assert told(found) == told(expected), path.name
        np.testing.assert_array_equal(found.slice_indices, expected.slice_indices)
        np.testing.assert_allclose(
            *(np.log(one.slice_probabilities) for one in (found, expected)), atol=1e-3, err_msg=path.name
        )
        assert found.confidence == pytest.approx(expected.confidence, abs=1e-3)
