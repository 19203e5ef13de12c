"""A recognizer goes into other processes: pickled into spawned ones, inherited by forked ones."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.recognition.cards.model_files import MODELS
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.volume import Volume

#: Seconds; a network whose threads are missing waits for ever.
PATIENCE = 120


def stack() -> Volume:
    volume = make_phantom(orientation=2, slices=3, size=(112, 128))
    assert isinstance(volume, Volume)
    return volume


def recognized(recognizer: Recognizer) -> tuple[int, list[list[float]]]:
    result = recognizer.recognize(stack())
    return int(result.orientation), result.slice_probabilities.tolist()


def test_a_pickled_recognizer_is_paths_and_options() -> None:
    recognizer = Recognizer(device="cpu", averaging=False, min_confidence=0.25, threads=2)
    data = pickle.dumps(recognizer)
    assert len(data) < 100_000
    again = pickle.loads(data)
    assert again.averaging is False and again.min_confidence == 0.25
    assert again.model == recognizer.model and again.device_description == "CPU"
    assert recognized(again) == recognized(recognizer)


def test_a_relative_path_still_leads_to_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(MODELS)
    data = pickle.dumps(Recognizer("./universal.onnx", "cpu", threads=1))
    monkeypatch.chdir(tmp_path)
    again = pickle.loads(data)
    assert again.model.onnx.is_absolute() and recognized(again)[0] == 2


@pytest.mark.parametrize("way", ["spawn", "fork"])
def test_a_worker_finds_the_same(way: str) -> None:
    if way not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{sys.platform} has no {way}")
    # More than one thread, running already: these are what a forked process lacks.
    recognizer = Recognizer(device="cpu", threads=2)
    expected = recognized(recognizer)
    with multiprocessing.get_context(way).Pool(1) as pool:
        orientation, probabilities = pool.apply_async(recognized, (recognizer,)).get(PATIENCE)
    assert orientation == expected[0]
    np.testing.assert_allclose(probabilities, expected[1], atol=1e-5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_opens_the_network_anew() -> None:
    recognizer = Recognizer(device="cpu", threads=2)
    expected = recognized(recognizer)[0]
    inherited = recognizer._engine._session

    def work() -> None:
        queue.put((recognized(recognizer)[0], recognizer._engine._session is inherited))

    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    # Through the closure, not through pickle: the session itself comes along, without its threads.
    child = context.Process(target=work)
    child.start()
    try:
        assert queue.get(timeout=PATIENCE) == (expected, False)
        child.join(PATIENCE)
        assert child.exitcode == 0
    finally:
        child.kill()
