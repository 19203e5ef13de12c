"""Single slices are counted as the product decides on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_study import MODEL
from study.single_slices import SILENT, SingleSlices, decide_alone, filled, plane_of

from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.recognition.header_plane import HeaderPlane
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.training.cases import Case
from CMROrientLib.training.evaluation.evaluate import opened
from CMROrientLib.training.evaluation.predictions import predict
from CMROrientLib.volume import Volume


def alone(volume: Volume, number: int) -> Volume:
    return replace(
        volume,
        array=volume.array[number : number + 1],
        grid=replace(volume.grid, size=(*volume.grid.size[:2], 1)),
    )


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(MODEL, device="cpu", looks="full")


@pytest.mark.parametrize("header", ["true", "empty", "wrong"])
def test_they_are_decided_on_as_the_recognizer_does(recognizer: Recognizer, header: str, tmp_path: Path) -> None:
    volumes = []
    for seed in range(2):
        made = make_phantom(seed=seed, slices=6, header=header if header == "empty" else "true")
        if header == "wrong":
            # Rows run along the normal of the slices: another plane.
            directions = made.grid.directions[:, [2, 1, 0]]
            made = replace(made, grid=replace(made.grid, direction=tuple(map(float, directions.ravel()))))
        # Noise until the network doubts what it sees.
        noise = np.random.default_rng(seed).normal(0, 60 * seed * np.arange(6)[:, None, None], made.array.shape)
        write(replace(made, array=(made.array + noise).astype(np.int16)), tmp_path / f"{seed}.nii")
        volumes.append(read(tmp_path / f"{seed}.nii"))
    cases = [Case(tmp_path / f"{seed}.nii", subject=str(seed)) for seed in range(2)]
    found = predict(opened(MODEL, "cpu")[1], cases, alone=True)
    decided = decide_alone(found, [plane_of(case) for case in cases], recognizer._rule)
    for said, case, number in zip(decided, found.case, found.slice_, strict=True):
        result = recognizer.recognize(alone(volumes[case], int(number)))
        expected = {"not_short_axis": "rejected", "uncertain": "uncertain"}.get(
            result.decision, "right" if result.orientation is Orientation.IDENTITY else "wrong"
        )
        assert said == expected, f"slice {number} of {case}"
    assert header != "true" or "right" in decided
    assert header != "wrong" or not {"right", "wrong"} & set(decided)


def test_headers_that_say_nothing_borrow_true_ones_in_turn() -> None:
    one, two = (HeaderPlane("known", cosine, Orientation.IDENTITY) for cosine in (0.99, 0.95))
    own = HeaderPlane("other_plane", 0.2, Orientation.IDENTITY)
    assert filled([SILENT, own, SILENT, SILENT], [one, two]) == [one, own, two, one]
    assert filled([SILENT], []) == [SILENT]


def test_sums() -> None:
    row = SingleSlices.together([SingleSlices.of(10, 1, 7, 1), SingleSlices.of(20, 0, 20, 0)])
    assert (row.slices, row.rejected, row.uncertain, row.acted_on, row.wrong) == (30, 1, 2, 27, 1)
    assert row.interval[0] < 1 / 30 < row.interval[1]
