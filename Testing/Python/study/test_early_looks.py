"""Early looks: what is kept of them, where looking ends, and the rule that says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sample_study import phantom
from study.looks.__main__ import main
from study.looks.figures import LooksMetrics
from study.looks.fitting import fitted
from study.looks.judging import Looks, looks_at
from study.looks.seen import SeenStack, Stack, load, save, see, see_in_all_classes
from study.results.looks import looks_section

from CMROrientLib.errors import CMROrientError
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.cards.card import read_card
from CMROrientLib.recognition.cards.model_files import MODELS, find_model
from CMROrientLib.recognition.decision import DecisionRule, EarlyLook
from CMROrientLib.recognition.engines import open_engine
from CMROrientLib.recognition.inference import Answers, Inference
from CMROrientLib.recognition.typed_json import read_object

#: Confidences as the margin has them; what is acted on needs 0.95 of it.
WEIGHTS = {"intercept": -2.0, "margin": 4.0, "votes": 0.0, "agreement": 0.0, "slices": 0.0}
RULE = DecisionRule(averaged=WEIGHTS, min_confidence=0.95)


def seen(
    early: tuple[int, float], full: tuple[int, float], *, truth: int | None = 0, kind: str = "volume", slices: int = 6
) -> SeenStack:
    """A stack of which early looks and all copies name a class with a margin each."""
    copies = (np.arange(slices)[:, None] + np.array([0, 12])) % 8 + np.array([0, 8])
    every = np.broadcast_to(np.arange(16), (slices, 16))
    return SeenStack(
        kind,
        f"{kind} {early} {full} {truth}",
        np.arange(slices),
        None if truth is None else Orientation(truth),
        True,
        None,
        Answers(_logits(copies, *early), copies=copies, look=2, inputs=2 * slices),
        Answers(_logits(every, *full), inputs=16 * slices),
    )


def _logits(copies: np.ndarray, k: int, margin: float) -> np.ndarray:
    found = np.zeros((*copies.shape, 9), np.float32)
    for index in np.ndindex(*copies.shape):
        found[(*index, int(Orientation(int(copies[index]) % 8).after(Orientation(k))))] = margin
    found[..., 8] = -9
    return found


def early_rule(least: float) -> DecisionRule:
    return DecisionRule(averaged=WEIGHTS, min_confidence=0.95, early=(EarlyLook(WEIGHTS, least, 0.5),) * 2)


def test_looking_ends_where_it_is_sure() -> None:
    stack = seen((3, 5.0), (3, 9.0), truth=3)
    look, inputs = Looks.at(stack, 1.0).end(early_rule(0.99))
    assert (look.number, inputs, look.right) == (1, 6, True)
    unsure = Looks.at(seen((3, 1.0), (3, 9.0), truth=3), 1.0)
    assert [unsure.end(early_rule(0.99))[0].number, unsure.end(early_rule(0.99))[1]] == [0, 12 + 96]
    thin = Looks.at(seen((3, 5.0), (3, 9.0), truth=3, slices=2), 1.0)
    assert thin.end(early_rule(0.99)) == (thin.full, 32)


def test_the_rule_lets_nothing_pass_that_all_copies_contradict() -> None:
    """The surest early answer with which all copies do not agree is below the limits, with a reserve."""
    good = [seen((k, 6.0), (k, 9.0), truth=k) for k in range(8)]
    wrong = [seen((1, 2.2), (0, 5.0), truth=0), seen((2, 2.0), (2, 0.5), truth=2)]
    for stacks in (good, good + wrong):
        rule = fitted(stacks, RULE)
        assert rule.early is not None and len(rule.early) == 2
        for looks in looks_at(stacks, rule.temperature, (3, 5, 0)):
            look, _ = looks.end(rule)
            assert not look.number or looks.agrees(look, rule)
        assert all(looks.end(rule)[0].number == 1 for looks in looks_at(good, rule.temperature))
    lax, strict = (fitted(stacks, RULE).early or () for stacks in (good, good + wrong))
    assert lax[0].min_confidence < strict[0].min_confidence


def test_what_is_no_short_axis_moves_the_limits() -> None:
    good = [seen((k, 4.0), (k, 9.0), truth=k) for k in range(8)]
    other = [seen((k, 9.0), (k, 0.1), truth=None, kind="other: cells") for k in range(8)]
    for stack in other:
        # Not wholly without suspicion.
        stack.early.logits[..., 8] = 8.0
    rule = fitted(good + other, RULE)
    assert not any(looks.end(rule)[0].number for looks in looks_at(other, rule.temperature))
    assert all(looks.end(rule)[0].number for looks in looks_at(good, rule.temperature))


def test_stacks_are_kept(tmp_path: Path) -> None:
    stacks = [seen((3, 5.0), (3, 9.0), truth=3), seen((1, 2.0), (2, 1.0), truth=None, slices=4)]
    save(tmp_path / "seen.npz", stacks)
    again = load(tmp_path / "seen.npz")
    for before, after in zip(stacks, again, strict=True):
        assert (before.kind, before.subject, before.truth, before.counts) == (
            after.kind, after.subject, after.truth, after.counts
        )  # fmt: skip
        for look in (0, 1, 2):
            np.testing.assert_array_equal(before.answers(look).logits, after.answers(look).logits)
            np.testing.assert_array_equal(before.answers(look).turns, after.answers(look).turns)
            assert before.answers(look).inputs == after.answers(look).inputs
    (tmp_path / "other.npz").write_bytes(b"no stacks")
    with pytest.raises(CMROrientError, match="no stacks that a network saw"):
        load(tmp_path / "other.npz")


def test_a_stack_that_is_stored_otherwise_has_the_same_copies() -> None:
    model = find_model("universal")
    inference = Inference.of(model, open_engine(model, "cpu", 1))
    volume = phantom(0, slices=3)
    across, down = volume.grid.spacing[:2]
    stack = Stack("volume", "a", list(volume.array), np.arange(3), (down, across), Orientation.IDENTITY)
    for k, found in zip(Orientation, see_in_all_classes(inference, stack), strict=True):
        assert found.truth == k and found.full.inputs == 48
        really = see(inference, stack.turned(k))
        np.testing.assert_allclose(found.full.logits, really.full.logits, atol=1e-2)
        np.testing.assert_allclose(found.early.logits, really.early.logits, atol=1e-6)


def test_the_rule_is_fitted_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = []
    for number, name in enumerate(("A", "B", "C")):
        stacks = [seen((k, 6.0 + number), (k, 9.0), truth=k) for k in range(8)]
        stacks += [seen((k, 3.0 + number), (k, 6.0), truth=k, kind="harder: noise") for k in range(8)]
        stacks += [seen((k, 0.1), (k, 0.1), truth=None, kind="other: cells") for k in range(3)]
        save(tmp_path / f"{name}.npz", stacks)
        sources.append(f"Source {name}={tmp_path / name}.npz")
    card = MODELS / "universal.json"
    assert main(["fit", *sources, "--card", str(card), "--metrics", str(tmp_path)]) == 0
    stored = json.loads((tmp_path / "looks.json").read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == stored
    found = read_object(LooksMetrics, stored, strict=True)
    assert set(found.sources) == {"Source A", "Source B", "Source C"}
    for row in found.sources.values():
        assert (row.stacks, row.otherwise, row.wrong, row.inputs_in_full) == (8, 0, 0, 96)
        assert row.first + row.second == 8 and row.inputs <= 12
    assert (found.changed.stacks, found.others.stacks, found.others.acted_on) == (24, 9, 0)
    assert found.calibration["told early"].answers == 24
    assert len(found.final) == 2
    text = "\n".join(looks_section(found))
    assert "| Source B | 8 | 8 | 8 (0) | 100.0 % |" in text and "| told early | 24 | 100.00 % |" in text


def test_names_of_sources_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fit", "A.npz", "--card", "card.json", "--metrics", str(tmp_path)])
    assert ended.value.code == 2


def test_the_bundled_card_has_the_rule_of_the_metrics(repository: Path) -> None:
    stored = json.loads((repository / "Training" / "metrics" / "looks.json").read_text(encoding="utf-8"))
    found = read_object(LooksMetrics, stored, strict=True)
    assert read_card(MODELS / "universal.json").decision.early == found.final
    assert not any(row.otherwise for row in found.sources.values())
    assert all(row.wrong <= row.wrong_in_full for row in found.sources.values())


def test_the_changelog_tells_the_inputs_of_the_metrics(repository: Path) -> None:
    stored = json.loads((repository / "Training" / "metrics" / "looks.json").read_text(encoding="utf-8"))
    rows = read_object(LooksMetrics, stored, strict=True).sources.values()
    asked, full = ([getattr(row, name) for row in rows] for name in ("inputs", "inputs_in_full"))
    took, all_looks = (f"{min(counts):.0f} to {max(counts):.0f}" for counts in (asked, full))
    told = f"{took} inputs in the mean where all looks are {all_looks}"
    assert told in (repository / "CHANGELOG.md").read_text(encoding="utf-8")
