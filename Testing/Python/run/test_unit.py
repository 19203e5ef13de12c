"""Images that are decided on together: one volume is in memory at a time, also where some fail."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from sample_study import MIN_CONFIDENCE, phantom, put

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io import find
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.recognition.together import Look
from CMROrientLib.run.seen import Seen
from CMROrientLib.run.unit import Company
from CMROrientLib.volume import Volume


def test_what_failed_keeps_no_voxels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {(f"{n}.nii", None): find(put(phantom(5, seed=n), tmp_path / f"{n}.nii"))[0] for n in range(3)}
    company = Company(sources, {key: Seen() for key in sources}, None)
    read: list[weakref.ref[np.ndarray]] = []
    at_once: list[int] = []
    look = Recognizer.look

    def odd(self: Recognizer, volume: Volume, limit: int | None = None) -> Look:
        read.append(weakref.ref(volume.array))
        at_once.append(sum(array() is not None for array in read))
        if len(read) < 3:
            raise ValueError(f"odd number {len(read)}")
        return look(self, volume, limit=limit)

    monkeypatch.setattr(Recognizer, "look", odd)
    recognizer = Recognizer(min_confidence=MIN_CONFIDENCE)
    first, second, third = sources
    for _ in range(2):
        for key, number in ((first, 1), (second, 2)):
            # Where it went wrong is told as for an image alone.
            with pytest.raises(CMROrientError, match=rf"^unexpected ValueError: odd number {number} \(test_unit.py, "):
                company.recognition(key, recognizer)
    assert company.recognition(third, recognizer).orientation == 5
    gc.collect()
    assert at_once == [1, 1, 1]
    assert [array() is None for array in read] == [True, True, True]
