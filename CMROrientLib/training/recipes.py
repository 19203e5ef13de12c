"""Recipes: TOML files that say what is trained on what, and how."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import CMROrientError
from ..recognition.preprocessing import Preprocessing
from .augment import Augmentation
from .data import Case

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    Parameters
    ----------
    epochs:
        Passes over the training slices.
    optimizer:
        ``adamw`` or ``sgd`` (momentum 0.9 unless given).
    rate:
        Learning rate at its highest.
    schedule:
        ``constant``, or ``cosine`` down to nothing with a short warm-up.
    freeze_backbone:
        Train the head only; batch-norm statistics of the backbone stay as they are, too.
    """

    epochs: int = 40
    optimizer: Literal["adamw", "sgd"] = "adamw"
    rate: float = 3e-3
    weight_decay: float = 0.02
    momentum: float = 0.9
    schedule: Literal["constant", "cosine"] = "cosine"
    freeze_backbone: bool = False


@dataclass(frozen=True)
class Selection:
    """Which cases of a data folder are trained on and validated on; empty means all.

    Parameters
    ----------
    sequences, datasets:
        Only these.
    without_sequences, without_datasets:
        Not these.
    split:
        JSON of a split, relative to the recipe; made with ``test_share`` and the seed where not given.
    test_share:
        Share of subjects held out. 0 trains on everybody.
    """

    sequences: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    without_sequences: tuple[str, ...] = ()
    without_datasets: tuple[str, ...] = ()
    split: str = ""
    test_share: float = 0.2

    def takes(self, case: Case) -> bool:
        """Whether a case belongs to this run."""
        return (
            (not self.sequences or case.sequence in self.sequences)
            and (not self.datasets or case.dataset in self.datasets)
            and case.sequence not in self.without_sequences
            and case.dataset not in self.without_datasets
        )


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what weights come out.

    Parameters
    ----------
    name:
        Of the model and its run.
    network:
        ``name`` and settings for ``networks.build``.
    phases:
        Done one after the other.
    batch:
        Slices in a step.
    squares:
        Side of the squares that are augmented.
    negatives:
        Size of the pool of pictures that are not short-axis slices; needs nine outputs.
    negatives_share:
        How many of them are seen in an epoch, as a share of the short-axis slices.
    average:
        Decay of the running average of weights that is kept in the end; 0 keeps the last ones.
    guide:
        Weight of the auxiliary segmentation loss (``auxiliary_loss``), for slices that have masks;
        0 does without. Needs a network that ``draws``.
    statistics:
        Estimate the batch-norm statistics once more after the last epoch. Deep networks need it where
        an epoch has few steps.
    validate_every:
        Epochs between validations on the test subjects; the last epoch is always validated.
    start:
        A model whose weights are the start (bundled name or path); "" starts afresh.
    """

    name: str
    network: dict[str, Any]
    seed: int = 0
    batch: int = 64
    squares: int = 192
    negatives: int = 0
    negatives_share: float = 0.15
    average: float = 0.0
    smoothing: float = 0.0
    guide: float = 0.0
    statistics: bool = False
    validate_every: int = 5
    start: str = ""
    data: Selection = field(default_factory=Selection)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    phases: tuple[Stage, ...] = (Stage(),)

    @property
    def outputs(self) -> int:
        """Length of the network's logits, 8 or 9."""
        return int(self.network.get("outputs", 8))

    @property
    def epochs(self) -> int:
        """Of all phases."""
        return sum(phase.epochs for phase in self.phases)

    def stage_of(self, epoch: int) -> tuple[int, int]:
        """(index of the phase, epoch inside it) of an epoch counted from 0."""
        for index, phase in enumerate(self.phases):
            if epoch < phase.epochs:
                return index, epoch
            epoch -= phase.epochs
        raise IndexError("beyond the last epoch")

    def to_json(self) -> dict[str, Any]:
        """As cards and checkpoints keep it."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        data["preprocessing"] = self.preprocessing.to_card()
        data["augmentation"] = self.augmentation.to_recipe()
        return data


def read_recipe(path: Path, **changes: Any) -> Recipe:
    """A recipe from a TOML file, with top-level settings replaced by ``changes``.

    ``base = "other.toml"`` takes everything from another recipe that the file does not say itself.

    Raises
    ------
    CMROrientError
        Where the file cannot be read or says something that is not known.
    """
    table = _read_tables(path)
    try:
        recipe = recipe_from(table, path.stem)
    except (CMROrientError, TypeError, ValueError) as error:
        raise CMROrientError(f"the recipe is not right: {error}", path) from error
    if recipe.data.split:
        split = (path.parent / recipe.data.split).resolve()
        recipe = replace(recipe, data=replace(recipe.data, split=str(split)))
    return replace(recipe, **changes)


def _read_tables(path: Path) -> dict[str, Any]:
    """The tables of a recipe, over those of the one that it names as its ``base``."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CMROrientError(f"the recipe cannot be read ({error})", path) from error
    base = table.pop("base", None)
    if base is None:
        return table
    merged = _read_tables(path.parent / str(base))
    for key, value in table.items():
        kept = merged.get(key)
        merged[key] = {**kept, **value} if isinstance(kept, dict) and isinstance(value, dict) else value
    return merged


def recipe_from(table: dict[str, Any], name: str = "model") -> Recipe:
    """A recipe from the tables of a TOML file (or from what ``to_json`` gave)."""
    values = dict(table)
    values.setdefault("name", name)
    values["data"] = _make(Selection, values.get("data", {}), "data")
    values["phases"] = tuple(_make(Stage, phase, "phases") for phase in values.get("phases", [{}]))
    preprocessing = dict(values.get("preprocessing", {}))
    paper = preprocessing.pop("like", "") == "paper"
    base = Preprocessing.paper() if paper else Preprocessing()
    values["preprocessing"] = Preprocessing.from_card({**base.to_card(), **preprocessing})
    augmentation = dict(values.get("augmentation", {}))
    paper = augmentation.pop("like", "") == "paper"
    changes = Augmentation.paper().to_recipe() if paper else {}
    values["augmentation"] = Augmentation.from_recipe({**changes, **augmentation})
    recipe: Recipe = _make(Recipe, values, "recipe")
    if recipe.augmentation.closer and not recipe.guide:
        raise CMROrientError("closer needs a guide: a network that was not taught where the heart is cannot look twice")
    if recipe.network.get("in_channels", recipe.preprocessing.channels) != recipe.preprocessing.channels:
        raise CMROrientError(f"the preprocessing gives {recipe.preprocessing.channels} channels")
    network = {**recipe.network, "outputs": recipe.outputs, "in_channels": recipe.preprocessing.channels}
    return replace(recipe, network=network)


def _make(kind: type, table: dict[str, Any], where: str) -> Any:
    known = {item.name for item in fields(kind)}
    unknown = set(table) - known
    if unknown:
        raise CMROrientError(f"[{where}] does not know {', '.join(sorted(unknown))}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()})
