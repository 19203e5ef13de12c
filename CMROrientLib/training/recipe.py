"""Recipes: TOML files that say what is trained on what, and how."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, PlainValidator, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from ..errors import CMROrientError, UsageError
from ..recognition.cards.architecture import Architecture
from ..recognition.preprocessing import Preprocessing
from .augmentation.settings import STRICT, Augmentation, NotNegative, Share, like_the_paper
from .cases import Case

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Table = dict[str, object]


@dataclass(frozen=True, config=STRICT)
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
    only:
        Train these parts of the network only (``measure``, ``doubt``); all others stay bit for bit.
    """

    epochs: Annotated[int, Field(ge=1)] = 40
    optimizer: Literal["adamw", "sgd"] = "adamw"
    rate: Annotated[float, Field(gt=0)] = 3e-3
    weight_decay: NotNegative = 0.02
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    schedule: Literal["constant", "cosine"] = "cosine"
    freeze_backbone: bool = False
    only: tuple[str, ...] = ()


@dataclass(frozen=True, config=STRICT)
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
    test_share: Annotated[float, Field(ge=0, lt=1)] = 0.2

    def takes(self, case: Case) -> bool:
        """Whether a case belongs to this run."""
        return (
            (not self.sequences or case.sequence in self.sequences)
            and (not self.datasets or case.dataset in self.datasets)
            and case.sequence not in self.without_sequences
            and case.dataset not in self.without_datasets
        )


def _network(said: object) -> Architecture:
    found = said if isinstance(said, Architecture) else Architecture.from_card(said, "network")
    from ..recognition.networks import NAMES

    if found.name not in NAMES:
        raise ValueError(f"network.name is {found.name!r}, not one of {', '.join(NAMES)}")
    if found.outputs not in (None, 8, 9):
        raise ValueError(f"network.outputs is {found.outputs}, not 8 or 9")
    return found


def _preprocessing(said: object) -> Preprocessing:
    if isinstance(said, Preprocessing):
        return said
    if not isinstance(said, Mapping):
        raise ValueError("preprocessing is no table")
    table = dict(said)
    like = table.pop("like", None)
    if like not in (None, "paper"):
        raise ValueError(f"preprocessing.like is {like!r}; the only word for it is 'paper'")
    base = Preprocessing() if like is None else Preprocessing.paper()
    return Preprocessing.from_card({**base.to_card(), **table})


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """Everything that decides what weights come out.

    In files ``stages`` are called ``phases``, and ``auxiliary_loss`` is called ``guide``.

    Parameters
    ----------
    name:
        Of the model and its run.
    network:
        What it is built from. Outputs are 8 and channels those of the preprocessing unless it says so.
    stages:
        The stages, done one after the other.
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
    auxiliary_loss:
        Weight of the auxiliary segmentation loss (``auxiliary_loss``), for slices that have masks;
        0 does without. Needs a network that ``draws``.
    measuring_loss:
        Weight of the loss of level and direction (``measuring_loss``), for slices of which they are known.
    made_short_axes:
        Short axes of made chests (``negatives.made_views``) shown beside the real ones, so that being made is
        no sign of another plane.
    other_views, without_views:
        Files, folders or patterns below the data folder with real images that are no short axis, and those
        among them that are kept for judging.
    without_negatives:
        Families of negatives that are kept for judging.
    statistics:
        Estimate the batch-norm statistics once more after the last epoch. Deep networks need it where
        an epoch has few steps.
    validate_every:
        Epochs between validations on the test subjects; the last epoch is always validated.
    start:
        A model whose weights are the start (bundled name or path); "" starts afresh.
    """

    name: str
    network: Annotated[Architecture, PlainValidator(_network), PlainSerializer(Architecture.to_card)]
    seed: Annotated[int, Field(ge=0)] = 0
    batch: Annotated[int, Field(ge=1)] = 64
    squares: Annotated[int, Field(ge=8)] = 192
    negatives: Annotated[int, Field(ge=0)] = 0
    negatives_share: NotNegative = 0.15
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    smoothing: Share = 0.0
    auxiliary_loss: Annotated[NotNegative, Field(alias="guide")] = 0.0
    measuring_loss: NotNegative = 0.3
    made_short_axes: Annotated[int, Field(ge=0)] = 0
    other_views: tuple[str, ...] = ()
    without_views: tuple[str, ...] = ()
    without_negatives: tuple[str, ...] = ()
    statistics: bool = False
    validate_every: Annotated[int, Field(ge=0)] = 5
    start: str = ""
    data: Selection = field(default_factory=Selection)
    preprocessing: Annotated[Preprocessing, PlainValidator(_preprocessing), PlainSerializer(Preprocessing.to_card)] = (
        field(default_factory=Preprocessing)
    )
    augmentation: Augmentation = field(default_factory=Augmentation)
    stages: Annotated[tuple[Stage, ...], Field(alias="phases", min_length=1)] = (Stage(),)

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        channels = self.preprocessing.channels
        if self.network.in_channels not in (None, channels):
            raise ValueError(f"network.in_channels is {self.network.in_channels}, the preprocessing gives {channels}")
        if self.augmentation.crop_diameters and not self.auxiliary_loss:
            raise ValueError("augmentation.closer needs a guide: without it no network knows where to crop")
        if self.auxiliary_loss and not self.network.draws:
            raise ValueError("guide needs draws = true in [network]: this network does not draw")
        if self.negatives and self.network.outputs != 9:
            raise ValueError("negatives needs outputs = 9 in [network]")
        whole = replace(self.network, outputs=self.network.outputs or 8, in_channels=channels)
        object.__setattr__(self, "network", whole)
        return self

    @property
    def outputs(self) -> int:
        """Length of the network's logits, 8 or 9."""
        return self.network.outputs or 8

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return sum(stage.epochs for stage in self.stages)

    def stage_of(self, epoch: int) -> tuple[int, int]:
        """(index of the stage, epoch inside it) of an epoch counted from 0."""
        for index, stage in enumerate(self.stages):
            if epoch < stage.epochs:
                return index, epoch
            epoch -= stage.epochs
        raise IndexError("beyond the last epoch")

    def to_json(self) -> Table:
        """As cards and checkpoints keep it."""
        data: Table = TypeAdapter(Recipe).dump_python(self, mode="json", by_alias=True)
        return data


def read_recipe(path: Path) -> Recipe:
    """A recipe from a TOML file.

    ``base = "other.toml"`` takes everything from another recipe that the file does not say itself.

    Raises
    ------
    CMROrientError
        Where the file cannot be read or says something that is not known; with the key.
    """
    try:
        recipe = recipe_from(_read_tables(path), path.stem)
    except ValueError as error:
        raise CMROrientError(f"the recipe is not right: {error}", path) from error
    if recipe.data.split:
        split = (path.parent / recipe.data.split).resolve()
        recipe = replace(recipe, data=replace(recipe.data, split=str(split)))
    return recipe


@contextmanager
def recipe_errors() -> Iterator[None]:
    """Turns what is wrong with a recipe that is made by hand into a CMROrientError; with the key."""
    try:
        yield
    except ValidationError as error:
        raise CMROrientError(f"the recipe is not right: {_complaints(error)}") from error


def _read_tables(path: Path, above: tuple[Path, ...] = ()) -> Table:
    """The tables of a recipe, over those of the one that it names as its ``base``; ``above`` are built on it."""
    try:
        table: Table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        said = f"the recipe cannot be read ({error.strerror or error}); give a TOML file as those in Training/recipes"
        raise UsageError(said, path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CMROrientError(f"the recipe cannot be read ({error}); mend it there", path) from error
    base = table.pop("base", None)
    if base is None:
        return table
    lower = (path.parent / str(base)).resolve()
    if not lower.is_file():
        raise CMROrientError(f"its base {base} is not there; mend that name", path)
    if lower in (path.resolve(), *above):
        raise CMROrientError(f"its base {base} is built on this recipe itself; name another one", path)
    merged = _read_tables(lower, (*above, path.resolve()))
    for key, value in table.items():
        kept = merged.get(key)
        merged[key] = {**kept, **value} if isinstance(kept, dict) and isinstance(value, dict) else value
    return merged


def recipe_from(table: Mapping[str, object], name: str = "model") -> Recipe:
    """A recipe from the tables of a TOML file (or from what ``to_json`` gave).

    Raises
    ------
    ValueError
        On a key or value that a recipe does not know; with the key.
    """
    # As JSON: there a list is a tuple and a table a dataclass, and nothing else is taken for something else.
    values = {"name": name, **table}
    if "augmentation" in table:
        values["augmentation"] = like_the_paper(table["augmentation"])
    text = json.dumps(values, default=str)
    try:
        return TypeAdapter(Recipe).validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ValueError(_complaints(error)) from error


def _complaints(error: ValidationError) -> str:
    return "; ".join(_said(one["loc"], one["type"], one["msg"], one["input"]) for one in error.errors())


def _said(place: tuple[int | str, ...], kind: str, message: str, value: object) -> str:
    """One complaint of pydantic in a recipe's words."""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    if kind == "unexpected_keyword_argument":
        return f"there is no {key}"
    if kind in ("missing", "missing_argument"):
        return f"{key} is missing"
    message = message.removeprefix("Value error, ")
    if kind == "value_error":
        return message
    return f"{key} is {value!r}: {message[0].lower()}{message[1:]}"
