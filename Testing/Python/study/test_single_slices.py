"""Single slices are counted as the product decides on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sample_study import MODEL
from skimage.filters import gaussian
from study.results.aims import aims
from study.results.singles import single_slices_section
from study.single_slices import (
    SILENT,
    SingleSliceMetrics,
    SingleSlices,
    decide_alone,
    filled,
    plane_of,
    single_slices,
)
from study.stored import StoredMetrics

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


def fading(seed: int, header: str) -> Volume:
    """A phantom's slice that fades from slice to slice into clouds, which are no heart."""
    made = make_phantom(seed=seed, slices=6, header="empty" if header == "empty" else "true")
    if header == "other plane":
        # Rows run along the normal of the slices.
        directions = made.grid.directions[:, [2, 1, 0]]
        made = replace(made, grid=replace(made.grid, direction=tuple(map(float, directions.ravel()))))
    clouds = gaussian(np.random.default_rng(seed).normal(0, 1, made.array.shape[1:]), 6)
    clouds = (clouds - clouds.min()) / np.ptp(clouds) * made.array.max()
    shares = (1, 0.6, 0.5, 0.4, 0.3, 0.1)
    slices = [share * made.array[3] + (1 - share) * clouds for share in shares]
    return replace(made, array=np.stack(slices).astype(np.int16))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("true", {"right", "uncertain", "rejected"}),
        ("empty", {"right", "uncertain", "rejected"}),
        ("other plane", {"uncertain", "rejected"}),
    ],
)
def test_they_are_decided_on_as_the_recognizer_does(
    recognizer: Recognizer, header: str, found: set[str], tmp_path: Path
) -> None:
    volumes = []
    for seed in range(3):
        write(fading(seed, header), tmp_path / f"{seed}.nii")
        volumes.append(read(tmp_path / f"{seed}.nii"))
    cases = [Case(tmp_path / f"{seed}.nii", subject=str(seed)) for seed in range(3)]
    shown = predict(opened(MODEL, "cpu")[1], cases, alone=True)
    decided = decide_alone(shown, [plane_of(case) for case in cases], recognizer._rule)
    contradicted = 0
    for said, case, number in zip(decided, shown.case, shown.slice_, strict=True):
        result = recognizer.recognize(alone(volumes[case], int(number)))
        expected = {"not_short_axis": "rejected", "uncertain": "uncertain"}.get(
            result.decision, "right" if result.orientation is Orientation.IDENTITY else "wrong"
        )
        assert said == expected, f"slice {number} of {case}"
        contradicted += result.plane_contradicts
    assert set(decided) - {"wrong"} == found
    assert (contradicted > 0) == (header == "true")


def test_headers_that_say_nothing_borrow_true_ones_in_turn() -> None:
    one, two = (HeaderPlane("known", cosine, Orientation.IDENTITY) for cosine in (0.99, 0.95))
    own = HeaderPlane("other_plane", 0.2, Orientation.IDENTITY)
    assert filled([SILENT, own, SILENT, SILENT], [one, two]) == [one, own, two, one]
    assert filled([SILENT], []) == [SILENT]


def test_sources_whose_headers_are_not_true_have_none_of_their_own(tmp_path: Path, recognizer: Recognizer) -> None:
    def measured(*headers: str) -> SingleSliceMetrics:
        sources, rules = [], {}
        for header in headers:
            write(fading(0, header), tmp_path / f"{header}.nii")
            shown = predict(opened(MODEL, "cpu")[1], [Case(tmp_path / f"{header}.nii", subject=header)], alone=True)
            sources.append(SimpleNamespace(name=header, alone=shown))
            rules[header] = recognizer._rule
        return single_slices(sources, rules)  # type: ignore[arg-type]

    silent = measured("empty")
    assert silent.headers == {} and silent.planes == silent.pixels
    assert "Headers are true in no source" in " ".join(" ".join(single_slices_section(silent)).split())
    both = measured("empty", "true")
    assert set(both.headers) == {"true", "all"}
    for part in ("all slices", "middle 70 % of slices"):
        assert both.planes["empty"][part].rejected < both.pixels["empty"][part].rejected
        assert both.planes["empty"][part].acted_on == both.pixels["empty"][part].acted_on
    text = "\n".join(single_slices_section(both))
    row = both.pixels["all"]["all slices"]
    assert f"| without a header: all, all slices | 12 | {row.rejected}: " in text
    (first, _) = [line for line in aims(StoredMetrics(single_slices=both)) if "true headers" in line[0]]
    assert first[1:] == [f"{100 * both.headers['all']['all slices'].rejected / 6:.1f} %", "**no**"]


def test_sums() -> None:
    row = SingleSlices.together([SingleSlices.of(10, 1, 7, 1), SingleSlices.of(20, 0, 20, 0)])
    assert (row.slices, row.rejected, row.uncertain, row.acted_on, row.wrong) == (30, 1, 2, 27, 1)
    assert row.interval[0] < 1 / 30 < row.interval[1]
