"""A model's card: what the model is, what it expects, how far it is to be trusted, and whence it comes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from ...errors import CMROrientError
from ...i18n import _
from ..decision import DecisionRule
from ..preprocessing import Preprocessing
from ..typed_json import in_json, read_object, write_object
from .architecture import Architecture

#: Cards carry the version of CMROrient that wrote them; those of this one can be read.
_KNOWN_VERSIONS = re.compile(r"1(\.\d+)*")


@dataclass(frozen=True)
class TrainingSet:
    """A data set that a model has learned from, and the terms that its weights inherit."""

    name: str
    terms: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """The card ``NAME.json`` of a model. Keys of the file have the same names but where it is said.

    Parameters
    ----------
    name:
        Of the model.
    version:
        Of CMROrient that wrote the card.
    architecture:
        What the network is built from.
    parameters, multiply_adds:
        How large the network is, and what a slice costs.
    preprocessing:
        How a slice becomes the network's input.
    crop_diameters:
        Side of the crop round the heart in the heart's diameters (``inference``); 0 for networks that
        see whole slices only. The file's key is ``closer``.
    outputs:
        Logits: eight classes, and with nine "out of distribution".
    training_sets, training_subjects, training_seconds, recipe, seed:
        What it learned from, for how long and how; the recipe as ``training.recipe`` writes it.
    metrics:
        How right it was on people that it had not learned from.
    known_failures:
        In sentences.
    license:
        Of the weights.
    decision:
        How far its answers are trusted.
    sha256:
        Checksums of the weights, by suffix; None until the weights are written.
    as_read:
        What the file said: a card that was read is written back with the same keys in the same order.
    """

    name: str
    version: str = "1.0.0"
    architecture: Architecture = field(metadata=in_json(strict=True))
    parameters: int | None = None
    multiply_adds: int | None = None
    preprocessing: Preprocessing = field(metadata=in_json(strict=True))
    crop_diameters: float = field(default=0.0, metadata=in_json("closer"))
    outputs: int
    training_sets: tuple[TrainingSet, ...] = ()
    training_subjects: int | None = None
    training_seconds: int | None = None
    recipe: Mapping[str, object] = field(default_factory=dict)
    seed: int | None = None
    metrics: Mapping[str, object] = field(default_factory=dict)
    known_failures: tuple[str, ...] = ()
    license: str = ""
    decision: DecisionRule = field(default_factory=DecisionRule)
    sha256: Mapping[str, str] | None = None
    as_read: Mapping[str, object] | None = field(
        default=None, repr=False, compare=False, metadata=in_json(left_out=True)
    )

    def __post_init__(self) -> None:
        """Raise ValueError on what no card of this version says."""
        if not _KNOWN_VERSIONS.fullmatch(self.version):
            raise ValueError(f"version is {self.version!r}, and this CMROrient knows cards of version 1")
        if self.outputs not in (8, 9):
            raise ValueError(f"outputs is {self.outputs}, not 8 or 9")
        if self.crop_diameters < 0:
            raise ValueError(f"closer is {self.crop_diameters:g}, not 0 or more")

    @classmethod
    def from_json(cls, data: object) -> Card:
        """The card of a JSON object. Raises ValueError with the key that is missing or wrong."""
        card = read_object(cls, data)
        return replace(card, as_read=dict(data)) if isinstance(data, Mapping) else card

    def to_json(self) -> dict[str, object]:
        """The JSON object of the card."""
        return write_object(self, self.as_read)

    @cached_property
    def written(self) -> Mapping[str, object]:
        """What ``to_json`` gives, made once; whoever reads it leaves it as it is."""
        return self.to_json()

    @property
    def epochs(self) -> int | None:
        """Of all stages of the recipe, where it names any."""
        stages = self.recipe.get("phases")
        if not isinstance(stages, list) or not stages:
            return None
        return sum(int(stage["epochs"]) for stage in stages)


def read_card(path: Path) -> Card:
    """The card in a file.

    Raises
    ------
    CMROrientError
        Where it cannot be read or is none of this version; with the key that is missing or wrong.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CMROrientError(
            _("the model's card cannot be read ({error}); copy it anew, beside the model's other files").format(
                error=error
            ),
            path,
        ) from error
    try:
        return Card.from_json(data)
    except ValueError as error:
        said = _(
            "this is no model card of this version: {error}; use the version that wrote it, or export the model anew"
        ).format(error=error)
        raise CMROrientError(said, path) from error
