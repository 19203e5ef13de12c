"""A recognizer whose network knows the answer about one sign, with a card that nobody calibrated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sample_study import MODEL

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.recognizer import Recognizer

#: Three different corners and nothing else: no two of its eight turns are alike.
SIGN = np.zeros((32, 32), np.int16)
SIGN[2:14, 2:14], SIGN[2:14, 18:30], SIGN[18:30, 2:14] = 300, 200, 100


class Oracle:
    """A network that knows the sign: its logits are the likeness to each of the sign's eight turns.

    Inputs that look like none of them get ``other`` as their out-of-distribution output.
    """

    description = "oracle"
    batch = 16

    def __init__(self, sharpness: float = 200.0, outputs: int = 8) -> None:
        self.sharpness = sharpness
        self.outputs = outputs
        self.inputs = 0

    def run(self, inputs: np.ndarray) -> np.ndarray:
        self.inputs += len(inputs)
        side = inputs.shape[-1]
        sign = np.kron(SIGN, np.ones((side // 32, side // 32)))
        turns = np.stack([k.apply(sign) for k in Orientation]).reshape(8, -1)
        images = inputs[:, 0].reshape(len(inputs), -1)
        likeness = np.corrcoef(np.vstack([turns, images]))[8:, :8]
        logits = self.sharpness * likeness
        if self.outputs == 9:
            other = np.where(likeness.max(axis=1) > 0.5, -30.0, 30.0 + logits.max(axis=1))
            logits = np.concatenate([logits, other[:, None]], axis=1)
        return logits.astype(np.float32)


def oracle(monkeypatch: pytest.MonkeyPatch, engine: Oracle, **settings: Any) -> Recognizer:
    """A recognizer that asks the oracle, with a card that nobody calibrated."""
    monkeypatch.setattr("CMROrientLib.recognition.recognizer.open_engine", lambda model, device, threads: engine)
    recognizer = Recognizer(MODEL, **settings)
    preprocessing = replace(recognizer._inference.preprocessing, size=64, trim=False, contrast="linear")
    recognizer._inference = replace(
        recognizer._inference, preprocessing=preprocessing, crop_diameters=0.0, outputs=engine.outputs, measures=False
    )
    recognizer._rule = DecisionRule()
    if settings.get("min_confidence") is None:
        recognizer.min_confidence = 0.9
    return recognizer
