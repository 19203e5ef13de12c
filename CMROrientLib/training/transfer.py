"""Transfer a trained network to other images: first its head alone, then all of it.

While the backbone is frozen its weights and its batch-norm statistics stay as they are, bit for bit
(Liu 2022, arXiv 2211.11336, section 4.2).
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import CMROrientError
from ..recognition.cards.model_files import ModelFiles
from .augmentation.settings import Augmentation
from .recipe import Recipe, Stage, recipe_errors

#: Weight of the auxiliary segmentation loss and number of other pictures where the recipe of a transfer says nothing.
AUXILIARY_LOSS, NEGATIVES = 4.0, 1000

#: The paper's: 20 epochs of the head at 1e-3, then everything at 1e-4 to epoch 40.
PAPER_STAGES = (
    Stage(20, "sgd", 1e-3, 0.0, 0.9, "constant", freeze_backbone=True),
    Stage(20, "sgd", 1e-4, 0.0, 0.9, "constant"),
)


def transfer_recipe(recipe: Recipe, start: ModelFiles) -> Recipe:
    """The recipe with network, preprocessing and weights of the model that is transferred.

    Raises
    ------
    CMROrientError
        Where no phase freezes the backbone: that would be another training, not a transfer.
    """
    if not any(stage.freeze_backbone for stage in recipe.stages):
        raise CMROrientError(
            "a transfer needs a phase with freeze_backbone = true in its recipe; use train to train everything"
        )
    # What the model can do beyond the classes it is not to forget: crop round the heart, and say "something else".
    crop = start.card.crop_diameters
    augmentation, auxiliary_loss, negatives = recipe.augmentation, recipe.auxiliary_loss, recipe.negatives
    if crop:
        augmentation = replace(augmentation, crop_diameters=crop, crop_share=0.4)
        auxiliary_loss = auxiliary_loss or AUXILIARY_LOSS
    if start.card.outputs > 8:
        negatives = negatives or NEGATIVES
    with recipe_errors():
        return replace(
            recipe,
            network=start.card.architecture,
            preprocessing=start.card.preprocessing,
            start=str(start.onnx),
            augmentation=augmentation,
            auxiliary_loss=auxiliary_loss,
            negatives=negatives,
        )


def paper_transfer(name: str, start: ModelFiles, seed: int = 0) -> Recipe:
    """The paper's transfer of a model, for who has no recipe of their own."""
    recipe = Recipe(
        name,
        start.card.architecture,
        seed=seed,
        batch=32,
        squares=256,
        preprocessing=start.card.preprocessing,
        augmentation=Augmentation.paper(),
        stages=PAPER_STAGES,
    )
    return transfer_recipe(recipe, start)
