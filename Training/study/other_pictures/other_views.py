"""Other views of the heart, real and made: what was kept back from a network, and what it has seen of other people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from CMROrientLib.recognition.cards.card import Card
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.preprocessing import is_blank
from CMROrientLib.training.negatives.families import MADE_VIEWS
from CMROrientLib.training.negatives.family import Picture, pictures_of
from CMROrientLib.training.negatives.real_views import files_of_views, planes_of
from CMROrientLib.training.negatives.reslices import Stack

from .rejection import OtherPictures

#: Pictures of a family that was kept back, and of one that was trained on with other people's hearts.
KEPT, SEEN = 150, 50
#: What is put before the name of what was kept back from training.
KEPT_BACK = "kept back: "


@dataclass(frozen=True)
class KeptBack:
    """What a recipe kept back: real views, families of made ones, and kinds of image."""

    views: tuple[str, ...]
    families: tuple[str, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, card: Card, kinds: Sequence[str]) -> KeptBack:
        """By a model's card."""
        augmentation = card.recipe.get("augmentation")
        shares = augmentation if isinstance(augmentation, Mapping) else {}
        return cls(
            _names(card.recipe.get("without_views")),
            _names(card.recipe.get("without_negatives")),
            tuple(kind for kind in kinds if not shares.get(kind)),
        )


def _names(said: object) -> tuple[str, ...]:
    return tuple(map(str, said)) if isinstance(said, list | tuple) else ()


def show_other_views(
    inference: Inference, stacks: Sequence[Stack], root: Path, names: Sequence[str], kept: KeptBack, seed: int = 3
) -> OtherPictures:
    """Show a network real and made views, each as an image of its own.

    Parameters
    ----------
    stacks:
        Of people that it was not trained on.
    root, names:
        The data folder, and the real views in it (``recipe.other_views``).
    """
    drawn = [*_real(root, names, kept), *_made(stacks, kept, seed)]
    return OtherPictures(
        np.array([family for family, _ in drawn]),
        np.array([is_blank(picture) for _, picture in drawn], bool),
        np.concatenate([inference([picture]) for _, picture in drawn]),
    )


def _real(root: Path, names: Sequence[str], kept: KeptBack) -> Iterator[tuple[str, Picture]]:
    back = set(files_of_views(root, kept.views))
    for name in names:
        for path in files_of_views(root, (name,)):
            of_subject = f"{name}/{path.name.split('_')[0]}" if path.suffix != ".dcm" else name
            for plane in planes_of(path):
                yield (f"{KEPT_BACK if path in back else ''}real, {of_subject}", plane)


def _made(stacks: Sequence[Stack], kept: KeptBack, seed: int) -> Iterator[tuple[str, Picture]]:
    for name, family in MADE_VIEWS.items():
        back = name in kept.families
        if family.draw(np.random.default_rng(seed), stacks, 64) is None:
            # No stack with mask and slice order.
            continue
        for _, picture in pictures_of([family], KEPT if back else SEEN, seed, stacks):
            yield (f"{KEPT_BACK if back else ''}{name}", picture)
