"""Cards of models: typed, whole, written back as they were read, and named where they are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from CMROrientLib.errors import CMROrientError
from CMROrientLib.recognition.cards.architecture import Architecture
from CMROrientLib.recognition.cards.card import Card, TrainingSet, read_card
from CMROrientLib.recognition.cards.model_files import MODELS, bundled, find_model
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.preprocessing import Preprocessing
from CMROrientLib.run.options import RunOptions

#: The least that a card says.
LEAST: dict[str, Any] = {
    "name": "least",
    "architecture": {"name": "compact"},
    "preprocessing": {"size": 32},
    "outputs": 9,
}

#: What stands in the records of runs with the bundled models (of the paper's three since version 1.0): all
#: defaults, and other settings.
DIGESTS = {
    # Has heads since: its runs of version 1.0 begin anew.
    "universal": ("67a05d7214a70de4", "5890209af911ba04"),
    "cine": ("7af408071fdc4875", "18823b0a8b8ee6d8"),
    "lge": ("98f278a1375f541a", "ea914adbe3797233"),
    "t2": ("7cc88e2db2f19344", "50490f1dfb234343"),
}


def test_the_bundled_models_are_those_whose_digests_are_known() -> None:
    assert sorted(bundled()) == sorted(DIGESTS)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_card_is_written_back_as_it_was_read(name: str) -> None:
    path = MODELS / f"{name}.json"
    assert json.dumps(read_card(path).to_json(), indent=1) + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DIGESTS)
def test_a_run_of_version_one_is_resumed(name: str) -> None:
    """Early looks, which it did not know, are another thing; a model without a rule for them has none."""
    other = RunOptions(inputs="in", averaging=False, min_confidence=0.8, geometry="keep")
    model = find_model(name)
    full, auto = (RunOptions(inputs="in", looks=looks).digest(model, None) for looks in ("full", "auto"))
    assert (full == auto) == (name != "universal")
    assert (
        full,
        other.digest(find_model(name), None),
    ) == DIGESTS[name]


def test_the_parts_of_a_card_are_typed() -> None:
    card = find_model("universal").card
    assert card.architecture == Architecture(
        "compact", outputs=9, draws=True, measures=True, doubts=True, in_channels=1
    )
    assert card.architecture.settings == {
        "outputs": 9, "draws": True, "measures": True, "doubts": True, "in_channels": 1
    }  # fmt: skip
    assert card.preprocessing == Preprocessing()
    assert (card.outputs, card.crop_diameters, card.seed, card.epochs) == (9, 2.5, 3, 12)
    assert card.decision.min_confidence == 0.95
    assert card.training_sets[0] == TrainingSet("ACDC", "CC BY-NC-SA 4.0")
    assert "Non-commercial" in card.license and len(card.known_failures) == 6


def test_what_a_card_leaves_out_has_a_default_and_is_not_said() -> None:
    card = Card.from_json(LEAST)
    assert card.decision == DecisionRule() and card.crop_diameters == 0 and card.epochs is None
    assert card.preprocessing == Preprocessing(size=32)
    assert card.to_json() == LEAST
    changed = replace(card, crop_diameters=2.0, decision=DecisionRule(min_confidence=0.7))
    assert changed.to_json() == {**LEAST, "closer": 2.0, "decision": DecisionRule(min_confidence=0.7).to_card()}


def test_notes_of_others_stay_in_a_card() -> None:
    noted = {"note": "by hand", **LEAST, "decision": {"why": "measured", "min_confidence": 0.8}}
    card = replace(Card.from_json(noted), seed=4)
    assert card.decision.min_confidence == 0.8
    assert list(card.to_json().items()) == [*noted.items(), ("seed", 4)]


def test_a_card_that_was_made_says_everything_it_has() -> None:
    card = Card(name="new", architecture=Architecture("orientnet"), preprocessing=Preprocessing(), outputs=8)
    said = card.to_json()
    assert said["closer"] == 0 and said["decision"] == DecisionRule().to_card() and "sha256" not in said
    assert Card.from_json(json.loads(json.dumps(said))) == card


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda card: card.pop(key)


def saying(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Put a value into a card; dots lead into its sections."""

    def change(card: dict[str, Any]) -> None:
        *sections, last = key.split(".")
        for section in sections:
            card = card[section]
        card[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("name"), "it lacks name;"),
        (without("outputs"), "it lacks outputs;"),
        (without("preprocessing"), "it lacks preprocessing;"),
        (saying("name", 3), "name is not text"),
        (saying("version", "2.0.0"), "version is '2.0.0'"),
        (saying("version", "new"), "version is 'new'"),
        (saying("outputs", "9"), "outputs is not a whole number"),
        (saying("outputs", True), "outputs is not a whole number"),
        (saying("outputs", 10), "outputs is 10, not 8 or 9"),
        (saying("closer", "near"), "closer is not a number"),
        (saying("closer", -1), "closer is -1"),
        (saying("closer", float("nan")), "closer is not a finite number"),
        (saying("architecture", "compact"), "architecture is no object"),
        (saying("architecture.width", 3), "there is no architecture.width"),
        (saying("architecture.channels", [8, "16"]), r"architecture.channels\[1\] is not a whole number"),
        (saying("architecture.draws", 1), "architecture.draws is not true or false"),
        (saying("preprocessing.colour", "red"), "there is no preprocessing.colour"),
        (saying("preprocessing.fit", "squeeze"), "preprocessing.fit is 'squeeze', not one of aspect, stretch"),
        (saying("preprocessing.size", 0), "preprocessing: size is 0"),
        (saying("preprocessing.truncations", []), "preprocessing: truncations"),
        (saying("decision.temperature", 0), "decision: temperature is 0"),
        (saying("decision.min_confidence", 1.5), "decision: min_confidence is 1.5"),
        (saying("decision.averaged", {"intercept": 1.0}), "decision: averaged lacks margin, votes"),
        (saying("decision.single", {"intercept": "1"}), "decision.single.intercept is not a number"),
        (saying("decision.outsider_single", {"ninth": 1.0}), "decision: outsider_single lacks intercept"),
        (saying("training_sets", {}), "training_sets is no list"),
        (saying("training_sets", [{"name": "ACDC"}]), r"it lacks training_sets\[0\].terms"),
        (saying("metrics", []), "metrics is no object"),
        (saying("sha256", {".onnx": 3}), "sha256..onnx is not text"),
    ],
)
def test_wrong_cards_are_told_with_file_and_key(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    card = json.loads((MODELS / "universal.json").read_text(encoding="utf-8"))
    change(card)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(CMROrientError, match=message) as caught:
        read_card(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize("text", ["", "[]", "3", '{"name": '])
def test_other_files_are_no_cards(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CMROrientError, match=r"card") as caught:
        read_card(path)
    assert caught.value.path == str(path)


def test_a_card_that_changes_is_read_again(tmp_path: Path) -> None:
    for part in (".onnx", ".safetensors"):
        (tmp_path / f"least{part}").write_bytes(b"")
    (tmp_path / "least.json").write_text(json.dumps(LEAST), encoding="utf-8")
    assert find_model(tmp_path).card is find_model(tmp_path).card
    assert find_model(tmp_path).card.seed is None
    (tmp_path / "least.json").write_text(json.dumps({**LEAST, "seed": 7}), encoding="utf-8")
    assert find_model(tmp_path).card.seed == 7
