"""From slices to one decision: with the bundled network, and with one whose answers are known."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_study import MIN_CONFIDENCE, MODEL, phantom
from sign_oracle import SIGN, Oracle, oracle

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.conflict import hold_against_header
from CMROrientLib.recognition.recognizer import Recognizer, decided
from CMROrientLib.recognition.result import Recognition
from CMROrientLib.recognition.slices import choose_slices
from CMROrientLib.recognition.wording import words
from CMROrientLib.volume import Grid, Volume


def volume_of(*slices: np.ndarray, phases: int | None = None) -> Volume:
    array = np.stack(slices)
    if phases is not None:
        array = np.stack([array] * phases)
    return Volume(array, Grid((array.shape[-1], array.shape[-2], len(slices)), (1.0, 1.0, 8.0)), has_geometry=False)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(MODEL, device="cpu", min_confidence=MIN_CONFIDENCE, looks="full")


@pytest.mark.parametrize("sequence", ["bSSFP", "LGE", "T2"])
def test_phantoms_in_every_orientation(recognizer: Recognizer, sequence: str) -> None:
    for k in Orientation:
        result = recognizer.recognize(phantom(k, sequence=sequence))
        assert result.orientation == k
        assert result.decision == ("reoriented" if k else "standard")
        assert result.votes.sum() == len(result.slice_indices) == 4
        assert result.header_orientation == k
        assert not result.conflict
        assert 0 <= result.confidence <= 1


def test_averaging_turns_with_the_image(recognizer: Recognizer) -> None:
    """The eight copies of a turned slice are the same eight images: only the classes move."""
    upright = recognizer.recognize(phantom(0))
    for k in Orientation:
        turned = recognizer.recognize(phantom(k))
        moved = [int(k.after(j)) for j in Orientation]
        np.testing.assert_allclose(turned.slice_probabilities[:, moved], upright.slice_probabilities, atol=1e-4)
        assert turned.confidence == pytest.approx(upright.confidence, abs=1e-4)


def test_averaging_can_be_switched_off() -> None:
    result = Recognizer(MODEL, device="cpu", averaging=False).recognize(phantom(5))
    assert result.orientation == 5
    np.testing.assert_array_equal(result.agreement, 1.0)


@pytest.mark.parametrize("averaging", [True, False])
@pytest.mark.parametrize("k", list(Orientation))
def test_the_classes_of_turned_copies_are_turned_back(
    monkeypatch: pytest.MonkeyPatch, k: Orientation, averaging: bool
) -> None:
    engine = Oracle()
    result = oracle(monkeypatch, engine, averaging=averaging).recognize(volume_of(k.apply(SIGN)))
    assert result.orientation == k
    assert result.slice_probabilities[0, k] > 0.99
    assert result.agreement[0] == 1
    assert engine.inputs == (8 if averaging else 1)


def test_each_slice_votes_and_the_mean_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    slices = [Orientation(k).apply(SIGN) for k in (6, 6, 6, 1)]
    result = oracle(monkeypatch, Oracle()).recognize(volume_of(*slices))
    np.testing.assert_array_equal(result.votes, [0, 1, 0, 0, 0, 0, 3, 0])
    assert result.orientation is Orientation.ROTATE_270
    np.testing.assert_allclose(result.slice_probabilities.sum(axis=1), 1)
    assert words(result).startswith("Stored turned by 90° counter-clockwise: 3 of 4 slices")


def test_doubt_is_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    slices = [Orientation(k).apply(SIGN) for k in (2, 1)]
    result = oracle(monkeypatch, Oracle()).recognize(volume_of(*slices))
    assert result.decision == "uncertain"
    assert not result.acted_on
    assert result.confidence < 0.9
    assert words(result).startswith("Uncertain: most probably stored ")
    assert oracle(monkeypatch, Oracle(), min_confidence=0.1).recognize(volume_of(*slices)).acted_on


def test_what_is_no_short_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 100, (32, 32)).astype(np.int16)
    recognizer = oracle(monkeypatch, Oracle(outputs=9))
    result = recognizer.recognize(volume_of(noise, noise.T))
    assert result.decision == "not_short_axis"
    assert result.not_short_axis > 0.99
    assert not result.acted_on
    assert words(result) == "This does not look like a short-axis image; it is left alone."
    upright = phantom(0)
    loud = np.random.default_rng(1).integers(0, 100, upright.array.shape)
    assert not recognizer.recognize(replace(upright, array=loud)).conflict
    result = recognizer.recognize(volume_of(SIGN))
    assert result.decision == "standard"
    assert result.not_short_axis < 0.01


def test_other_networks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Oracle):
        def run(self, inputs: np.ndarray) -> np.ndarray:
            return np.zeros((len(inputs), 4), np.float32)

    with pytest.raises(CMROrientError, match="4 outputs"):
        oracle(monkeypatch, Other()).recognize(volume_of(SIGN))


def test_blank_slices_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    blank = np.full_like(SIGN, 7)
    result = oracle(monkeypatch, Oracle()).recognize(volume_of(blank, SIGN, blank, SIGN))
    np.testing.assert_array_equal(result.slice_indices, [[0, 1], [0, 3]])
    assert result.votes.sum() == 2


def test_nothing_to_see_is_told(recognizer: Recognizer) -> None:
    with pytest.raises(CMROrientError, match="every slice has one value only"):
        recognizer.recognize(volume_of(np.zeros((32, 32))))


def test_one_decision_for_a_cine(monkeypatch: pytest.MonkeyPatch) -> None:
    result = oracle(monkeypatch, Oracle()).recognize(volume_of(*[SIGN.T] * 3, phases=40))
    assert result.orientation is Orientation.TRANSPOSE
    assert len(result.slice_indices) == 60
    assert len({tuple(pair) for pair in result.slice_indices}) == 60
    assert set(result.slice_indices[:, 1]) == {0, 1, 2}


@given(phases=st.integers(1, 40), slices=st.integers(1, 200), limit=st.integers(1, 80))
def test_the_slices_looked_at_are_a_spread(phases: int, slices: int, limit: int) -> None:
    array = np.broadcast_to(np.arange(4).reshape(2, 2), (phases, slices, 2, 2))
    chosen = choose_slices(Volume(array, Grid((2, 2, slices))), limit)
    pairs = {tuple(pair) for pair in chosen}
    assert len(pairs) == len(chosen) <= max(limit, 1)
    assert all(0 <= p < phases and 0 <= s < slices for p, s in pairs)
    looked_at = sorted({s for _, s in pairs})
    assert len(looked_at) == min(slices, limit)
    # As much is left out below as above.
    assert abs(looked_at[0] - (slices - 1 - looked_at[-1])) <= max(2, slices / limit)


def test_progress_counts_and_can_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = oracle(monkeypatch, Oracle())
    seen: list[tuple[int, int]] = []
    recognizer.recognize(volume_of(*[SIGN] * 6), progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recognizer.recognize(volume_of(SIGN), progress=stop)


def test_a_users_decision_needs_no_network() -> None:
    result = decided(phantom(6), 6)
    assert (result.orientation, result.decision, result.decided_by) == (6, "reoriented", "user")
    assert result.confidence == 1
    assert result.votes.sum() == 0
    assert "as the user decided" in words(result)
    assert decided(phantom(6), 0).decision == "standard"


def with_header(pixels: int, header: int) -> Recognition:
    upright = phantom(0)
    return decided(upright.reindexed(Orientation(pixels), Orientation(header)), pixels)


def test_pixels_are_held_against_the_header() -> None:
    same = with_header(4, 4)
    assert (same.header_orientation, same.header_state, same.conflict, same.mirrored) == (4, "known", False, False)
    assert "The header says the same." in words(same)
    turned = with_header(5, 0)
    assert (turned.header_orientation, turned.conflict, turned.mirrored) == (0, True, False)
    assert "contradicts" in words(turned)
    doubtful = replace(turned, decision="uncertain", decided_by="network")
    assert words(doubtful).endswith("The header says stored in standard orientation.")
    mirror = with_header(1, 0)
    assert (mirror.header_orientation, mirror.conflict, mirror.mirrored) == (0, True, True)
    assert "differ by a mirror: left and right are exchanged in one of them" in words(mirror)


def test_headers_that_say_nothing_or_something_else() -> None:
    empty = decided(phantom(3, header="empty"), 3)
    assert (empty.header_orientation, empty.header_state, empty.conflict) == (None, "none", False)
    assert "says nothing" in words(empty)
    upright = phantom(0)
    oblique = (0.0, 0.8, 0.6, 1.0, 0.0, 0.0, 0.0, 0.6, -0.8)
    other = replace(upright, grid=replace(upright.grid, direction=oblique))
    assert other.header_state == "other_plane"
    result = decided(other, 0)
    assert (result.header_orientation, result.conflict, result.mirrored) == (None, True, False)
    assert "names another plane" in words(result)
    assert not hold_against_header(other, Orientation(0), "not_short_axis")[1]


@pytest.mark.parametrize("limit", [-0.1, 1.5, float("nan")])
def test_limits_are_checked(limit: float) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        Recognizer(MODEL, min_confidence=limit)


def test_the_words_never_round_up_to_certainty(recognizer: Recognizer) -> None:
    result = replace(recognizer.recognize(phantom()), confidence=0.9999)
    assert "confidence over 0.99" in words(result)
    assert "confidence 0.99" in words(replace(result, confidence=0.9949))


def test_a_recognizer_costs_nothing_once_its_network_is_loaded(recognizer: Recognizer) -> None:
    """Whoever works image by image makes one for each: card, checksums and network stay loaded."""
    seconds = []
    for _ in range(9):
        began = time.perf_counter()
        again = Recognizer(MODEL, device="cpu")
        seconds.append(time.perf_counter() - began)
        assert again._engine is recognizer._engine and again.model.card is recognizer.model.card
    assert sorted(seconds)[4] < 0.002


def test_what_the_recognizer_tells_of_itself(recognizer: Recognizer) -> None:
    assert recognizer.device_description == "CPU"
    assert recognizer.model.name == MODEL
    assert len(recognizer.model.checksum) == 64
