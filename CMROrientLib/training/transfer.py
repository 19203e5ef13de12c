"""Transfer a trained network to other images: first its head alone, then all of it.

While the backbone is frozen its weights and its batch-norm statistics stay as they are, bit for bit
(Liu 2022, arXiv 2211.11336, section 4.2).
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import CMROrientError
from ..recognition.model_files import ModelFiles
from .augment import Augmentation
from .recipes import Recipe, Stage

#: Weight of the auxiliary segmentation loss and number of other pictures where the recipe of a transfer says nothing.
GUIDE, NEGATIVES = 4.0, 1000

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
    if not any(phase.freeze_backbone for phase in recipe.phases):
        raise CMROrientError(
            "a transfer needs a phase with freeze_backbone = true in its recipe; use train to train everything"
        )
    network = start.card.architecture.to_card()
    recipe = replace(recipe, network=network, preprocessing=start.card.preprocessing, start=str(start.onnx))
    # What the model can do beyond the classes it is not to forget: crop round the heart, and say "something else".
    closer = start.card.crop_diameters
    if closer:
        recipe = replace(recipe, augmentation=replace(recipe.augmentation, closer=closer, closer_share=0.4))
        recipe = replace(recipe, guide=recipe.guide or GUIDE)
    if recipe.outputs > 8:
        recipe = replace(recipe, negatives=recipe.negatives or NEGATIVES)
    return recipe


def paper_transfer(name: str, start: ModelFiles, seed: int = 0) -> Recipe:
    """The paper's transfer of a model, for who has no recipe of their own."""
    recipe = Recipe(name, {}, seed=seed, batch=32, squares=256, augmentation=Augmentation.paper(), phases=PAPER_STAGES)
    return transfer_recipe(recipe, start)
