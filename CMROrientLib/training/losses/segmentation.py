"""The auxiliary segmentation loss: a network in training also draws the ventricles.

Left and right are told by the two ventricles and by little else. A network that also has to draw
them, coarsely, from its last feature map looks at them rather than at what one hospital's images
have in common, and can say where the heart is.
"""

from __future__ import annotations

from torch import Tensor

from ..augmentation.labels import tissue_shares


def auxiliary_segmentation_loss(drawing: Tensor, masks: Tensor, drawn: Tensor) -> Tensor:
    """Cross-entropy of a drawing, averaged over the cells of the slices that have masks; 0 without any.

    Parameters
    ----------
    drawing:
        (N, tissues, side, side) what the network draws, as logits.
    masks:
        (N, rows, columns) where the tissues are.
    drawn:
        (N,) bool: which have masks.
    """
    tissues = tissue_shares(masks, drawing.shape[-1])
    of_slices = -(tissues * drawing.float().log_softmax(dim=1)).sum(dim=1).mean(dim=(1, 2))
    return (of_slices * drawn).sum() / drawn.sum().clamp(min=1)
