"""The order of a stack that is stored as one series, or one file, a slice: told by its numbers, and left as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dicom_cases
import numpy as np
import pytest
from data_sets import COUNT, put_stack, slices_of
from hypothesis import given
from hypothesis import strategies as st
from phantom_dicom import phantom_files
from pydicom import dcmread
from pydicom.uid import generate_uid
from sample_study import MIN_CONFIDENCE, NETWORK, Finished, cmrorient, phantom

from CMROrientLib.io import read
from CMROrientLib.recognition.inference import Answers
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.recognition.stack_order import count_slices
from CMROrientLib.recognition.together import Look

APEX_FIRST, BASE_FIRST = tuple(range(1, COUNT + 1)), tuple(range(COUNT, 0, -1))
IN_TURNS = (1, 5, 2, 6, 3, 7, 4, 8)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stacks") / "in"
    for seed, (name, numbers) in enumerate(
        {"base1": BASE_FIRST, "base2": BASE_FIRST, "apex": APEX_FIRST, "turns": IN_TURNS}.items()
    ):
        put_stack(root / name, numbers, seed)
    return root


def orders(done: Finished) -> dict[str, set[tuple[str, str | None]]]:
    found: dict[str, set[tuple[str, str | None]]] = {}
    for record in done.records:
        found.setdefault(str(record["group"]), set()).add((record["slice_order"], record["header_slice_order"]))
    return found


def test_the_order_is_that_of_the_numbers(study: Path) -> None:
    found = orders(cmrorient("recognize", study, *NETWORK, "--json"))
    assert found["base1/sax"] == found["base2/sax"] == {("base_first", "base_first")}
    assert found["apex/sax"] == {("apex_first", "apex_first")}
    assert {order for order, _ in found["turns/sax"]} == {"unknown"}, "no end is counted first"


def test_people_are_told(study: Path) -> None:
    done = cmrorient("recognize", study, *NETWORK)
    assert "apex/sax: 8 series of one stack, from apex to base" in done.out
    assert "base1/sax: 8 series of one stack, from base to apex" in done.out
    assert "turns/sax: 8 series of one stack\n" in done.out.replace(" \n", "\n")
    assert "slices run from base to apex in 2 and from apex to base in 1 of the stacks" in " ".join(done.err.split())


def test_an_audit_counts_a_stack_once(study: Path, tmp_path: Path) -> None:
    done = cmrorient("audit", study, "-o", tmp_path / "audit.html", *NETWORK, "--json")
    against = [record for record in done.records if record["verdict"] == "slices_run_against_the_rest"]
    assert {record["group"] for record in against} == {"apex/sax"} and len(against) == COUNT
    assert "against the rest: 2 of 3 stacks run the other way" in against[0]["words"]


def test_each_slice_stays_where_it_is(study: Path, tmp_path: Path) -> None:
    """A file alone has no order to reverse; nobody is left to believe that it was."""
    for geometry in ("auto", "follow"):
        out = tmp_path / geometry
        done = cmrorient(
            "correct", study, "-o", out, *NETWORK, "--slice-order", "base-first", "--geometry", geometry, "--json"
        )
        assert done.status == 0, done.err
        said = " ".join(done.err.split())
        assert "the slices of apex/sax keep their order: each is an image of its own" in said
        assert "join them into one file" in said
        assert not any(record["slices_reversed"] or record["slice_direction_reversed"] for record in done.records)
        for number, stored in zip(APEX_FIRST, slices_of(phantom(0, seed=2, slices=COUNT)), strict=True):
            written = read(out / "apex" / f"sax_{number}.nii.gz")
            np.testing.assert_array_equal(written.array, stored.array)
            np.testing.assert_allclose(written.grid.centre, stored.grid.centre, atol=0.5)
            assert written.grid.directions[:, 2] @ stored.grid.directions[:, 2] > 0.99
    page = (out / "cmrorient.html").read_text(encoding="utf-8")
    assert "slices of the stack from apex to base" in page


@pytest.mark.parametrize("base_first", [False, True])
def test_series_are_counted_by_their_numbers(tmp_path: Path, base_first: bool) -> None:
    """In one folder, in which names and UIDs tell nothing."""
    files = phantom_files(tmp_path / "made", orientation=5, slices=COUNT)
    for number, path in zip(BASE_FIRST if base_first else APEX_FIRST, files, strict=True):
        dataset = dcmread(path)
        dataset.SeriesInstanceUID, dataset.SeriesNumber = generate_uid(), 10 + number
        dicom_cases.save(dataset, tmp_path / "in" / f"{dataset.SOPInstanceUID}.dcm")
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", *NETWORK, "--json")
    assert done.status == 0, done.err
    way = "base_first" if base_first else "apex_first"
    assert list(orders(done).values()) == [{(way, way)}]
    assert {record["group_kind"] for record in done.records} == {"stack"}


def test_in_python_they_are_counted_as_they_are_given() -> None:
    recognizer = Recognizer(min_confidence=MIN_CONFIDENCE, looks="full")
    stack = slices_of(phantom(5, slices=COUNT))
    for given_so, way in ((stack, "apex_first"), (stack[::-1], "base_first")):
        found = recognizer.recognize_together(given_so)
        assert {(one.slice_order, one.header_slice_order) for one in found} == {(way, way)}
        assert min(one.slice_order_confidence for one in found) > 0.9
    assert {one.slice_order for one in recognizer.recognize_together(stack[:2])} == {"unknown"}


def look_at(height: float) -> Look:
    """A look at a slice in the stack, of which only the place counts."""
    one = slices_of(phantom(0, size=(32, 32), slices=2))[0]
    normal = np.cross(one.grid.directions[:, 0], one.grid.directions[:, 1])
    grid = replace(one.grid, origin=tuple(np.array(one.grid.origin) + height * normal))
    nothing = Answers(np.zeros((1, 1, 8)), None)
    return Look(replace(one, grid=grid), np.zeros((1, 2), int), nothing)


@given(st.permutations(range(6)), st.booleans(), st.integers(-5, 400))
def test_the_count_does_not_depend_on_the_order_of_the_images(order: list[int], falling: bool, start: int) -> None:
    looks = [look_at(9.0 * n) for n in order]
    numbers = [(start, -n if falling else n) for n in order]
    counted = count_slices(looks, numbers)
    assert counted is not None
    assert counted.places.tolist() == [5 - n if falling else n for n in order]
    rise = counted.direction @ (looks[order.index(5)].outline.grid.centre - looks[order.index(0)].outline.grid.centre)
    assert (rise < 0) == falling


def test_slices_that_were_taken_twice_count_once() -> None:
    looks = [look_at(height) for height in (0.0, 9.0, 18.0, 9.2)]
    counted = count_slices(looks, [(1,), (2,), (3,), (9,)])
    assert counted is not None and counted.places.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("numbers", [[1, 3, 2, 4], [1, 1, 2, 3], [0, 0, 0, 0]], ids=str)
def test_numbers_that_do_not_follow_the_places_tell_nothing(numbers: list[int]) -> None:
    assert count_slices([look_at(9.0 * n) for n in range(4)], [(number,) for number in numbers]) is None


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(min_confidence=MIN_CONFIDENCE, looks="full")


def test_sequences_on_one_grid_have_one_order(recognizer: Recognizer) -> None:
    """One of them shows the middle of the heart in all slices, which tells nothing by itself."""
    stack = phantom(5, slices=COUNT)
    middle = replace(stack, array=np.broadcast_to(stack.array[COUNT // 2], stack.array.shape).copy())
    bright = replace(stack, array=stack.array * 2)
    assert recognizer.recognize(middle).slice_order == "unknown"
    found = recognizer.recognize_together([stack, middle, bright])
    assert {one.slice_order for one in found} == {"apex_first"}
    assert len({one.slice_order_confidence for one in found}) == 1
    elsewhere = replace(middle, grid=replace(middle.grid, origin=(0.0, 0.0, 500.0)))
    apart = recognizer.recognize_together([stack, elsewhere, bright])
    assert [one.slice_order for one in apart] == ["apex_first", "unknown", "apex_first"]


def test_what_images_on_one_grid_tell_together_has_to_be_surer(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of one heart err together."""
    stack = phantom(5, slices=COUNT)
    both = [stack, replace(stack, array=stack.array * 2)]
    sure = recognizer.recognize_together(both)[0].slice_order_confidence
    for limit, order in ((sure - 0.001, "apex_first"), (sure + (1 - sure) / 2, "unknown")):
        monkeypatch.setattr(recognizer, "_rule", replace(recognizer._rule, min_slice_order_together=limit))
        found = recognizer.recognize_together(both)
        assert [(one.slice_order, one.slice_order_confidence) for one in found] == [(order, sure)] * 2
        # One alone is asked for no more than before.
        assert recognizer.recognize_together(both[:1])[0].slice_order == "apex_first"
        assert recognizer.recognize(stack).slice_order == "apex_first"
    lax = replace(recognizer._rule, min_slice_order=0.97, min_slice_order_together=0.5)
    assert lax.least_slice_order_together == 0.97


def test_one_that_runs_against_the_others_on_its_grid_is_not_outvoted(recognizer: Recognizer) -> None:
    stack = phantom(5, slices=COUNT)
    reversed_ = replace(stack, array=stack.array[::-1].copy())
    found = recognizer.recognize_together([stack, reversed_, replace(stack, array=stack.array * 2)])
    assert [one.slice_order for one in found] == ["apex_first", "base_first", "apex_first"]


def test_real_sequences_on_one_grid(data_root: Path) -> None:
    """The T2 stack of this person tells no order by itself."""
    recognizer = Recognizer()
    sequences = [read(data_root / "myops" / f"Case3001_{name}.nii.gz") for name in ("C0", "LGE", "T2")]
    assert recognizer.recognize(sequences[2]).slice_order == "unknown"
    found = recognizer.recognize_together(sequences)
    assert {one.slice_order for one in found} == {"apex_first"} and found[2].slice_order_confidence > 0.9
