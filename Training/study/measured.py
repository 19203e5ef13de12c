"""What a network says about a source that it was not trained on, measured once and kept in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from CMROrientLib.io.atomic import replacing
from CMROrientLib.recognition.typed_json import read_object, write_object
from CMROrientLib.training.cases import Case
from CMROrientLib.training.evaluation.evaluate import TrainingFacts, opened
from CMROrientLib.training.evaluation.predictions import Predictions, predict
from CMROrientLib.training.negatives.reslices import read_stack

from .json_files import write_json
from .kinds import KINDS, ShownKinds, show_kinds
from .other_pictures.other_views import KeptBack, show_other_views
from .other_pictures.rejection import OtherPictures, show_other_pictures
from .stress import StressRow, stress

#: Other pictures shown to each network.
OTHER_PICTURES = 1200
#: Stacks that cuts are made from.
STACKS = 40
#: Kinds of stress whose answers the calibration learns from.
HARDER = ("crop", "extra rotation", "noise", "resolution", "inverted")


@dataclass(frozen=True, kw_only=True)
class MeasuredModel(TrainingFacts):
    """Which network was measured, and how it came about."""

    name: str
    checksum: str

    def to_json(self) -> dict[str, object]:
        """As metrics keep it."""
        return {"name": self.name, "checksum": self.checksum, **write_object(self)}


@dataclass(frozen=True)
class Measured:
    """What a network said about a source.

    Parameters
    ----------
    name:
        The source, as the tables show it.
    model:
        The network.
    predictions:
        For the left-out volumes as they are.
    alone:
        For the same slices, each on its own, as a volume of one slice.
    stressed:
        (curve, level, predictions) for changed slices.
    curves:
        What ``stress`` counted.
    others:
        What it said about other pictures.
    views:
        What it said about other views of the heart, each an image of its own.
    kinds:
        What it said about made kinds of image.
    kept:
        What was kept back from it.
    """

    name: str
    model: MeasuredModel
    predictions: Predictions
    alone: Predictions
    stressed: list[tuple[str, float, Predictions]]
    curves: Mapping[str, tuple[StressRow, ...]]
    others: OtherPictures
    views: OtherPictures
    kinds: ShownKinds
    kept: KeptBack

    @property
    def harder(self) -> list[Predictions]:
        """The changed slices that the calibration learns from."""
        return [found for curve, level, found in self.stressed if curve.startswith(HARDER) and level not in (0, 1)] + [
            found for curve, level, found in self.stressed if curve.startswith("inverted") and level == 1
        ]


@dataclass(frozen=True)
class _Index:
    """``measured.json``: all that is no array; of stressed predictions curve, level and file."""

    name: str
    model: MeasuredModel
    curves: Mapping[str, tuple[StressRow, ...]]
    stressed: tuple[tuple[object, ...], ...]
    kept: KeptBack


def measure(
    name: str, model: str | Path, cases: Sequence[Case], folder: Path, stress_volumes: int = 60, *, data: Path
) -> None:
    """Run a network over everything and keep its outputs in ``folder``.

    Parameters
    ----------
    name:
        Of the left-out source.
    model:
        A network that was not trained on the people of ``cases``.
    stress_volumes:
        Changed slices are taken from at most so many volumes, spread evenly over ``cases``.
    data:
        The data folder, for real views that are no short axis.
    """
    files, inference = opened(model, "cpu")
    predict(inference, cases).save(folder / "predictions.npz")
    predict(inference, cases, alone=True).save(folder / "alone.npz")
    chosen = [cases[int(n)] for n in np.linspace(0, len(cases) - 1, min(stress_volumes, len(cases))).round()]
    kept: list[tuple[str, float, str]] = []

    def keep(curve: str, level: float, found: Predictions) -> None:
        file = f"stress-{len(kept):02}.npz"
        found.save(folder / file)
        kept.append((curve, level, file))

    curves = stress(inference, chosen, keep=keep)
    stacks = [read_stack(case) for case in chosen[:: max(1, len(chosen) // STACKS)]]
    others = show_other_pictures(inference, stacks, OTHER_PICTURES)
    _keep_pictures(folder / "others.npz", others)
    kept_back = KeptBack.of(files.card, tuple(KINDS))
    named = files.card.recipe.get("other_views")
    names = tuple(map(str, named)) if isinstance(named, list | tuple) else ()
    _keep_pictures(folder / "views.npz", show_other_views(inference, stacks, data, names, kept_back))
    shown = show_kinds(inference, chosen)
    with replacing([folder / "kinds.npz"]) as (stream,):
        np.savez(stream, allow_pickle=False, kinds=shown.kinds, logits=shown.logits)
    facts = TrainingFacts.of(files.card)
    measured = MeasuredModel(name=files.name, checksum=files.checksum, **vars(facts))
    write_json(folder / "measured.json", write_object(_Index(name, measured, curves, tuple(kept), kept_back)))


def load(folder: Path) -> Measured:
    """Read what ``measure`` kept."""
    found = read_object(_Index, json.loads((folder / "measured.json").read_text(encoding="utf-8")), strict=True)
    others, views = (_kept_pictures(folder / f"{name}.npz") for name in ("others", "views"))
    with np.load(folder / "kinds.npz", allow_pickle=False) as data:
        kinds = ShownKinds(data["kinds"], data["logits"])
    stressed = [
        (str(curve), float(str(level)), Predictions.load(folder / str(file))) for curve, level, file in found.stressed
    ]
    predictions, alone = (Predictions.load(folder / f"{name}.npz") for name in ("predictions", "alone"))
    return Measured(
        found.name, found.model, predictions, alone, stressed, found.curves, others, views, kinds, found.kept
    )


def _keep_pictures(path: Path, pictures: OtherPictures) -> None:
    with replacing([path]) as (stream,):
        np.savez(stream, allow_pickle=False, families=pictures.families, blank=pictures.blank, logits=pictures.logits)


def _kept_pictures(path: Path) -> OtherPictures:
    with np.load(path, allow_pickle=False) as data:
        return OtherPictures(data["families"], data["blank"], data["logits"])
