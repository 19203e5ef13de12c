"""The auxiliary segmentation loss: a network in training also draws the ventricles.

Left and right are told by the two ventricles and by little else. A network that also has to draw
them, coarsely, from its last feature map looks at them rather than at what one hospital's images
have in common, and can say where the heart is.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..errors import CMROrientError


class AuxiliarySegmentationLoss:
    """The loss of what a network draws while it is trained.

    Parameters
    ----------
    network:
        With a layer ``draw`` that gives (N, tissues, side, side).

    Raises
    ------
    CMROrientError
        Where the network does not draw.
    """

    def __init__(self, network: nn.Module) -> None:
        layer = getattr(network, "draw", None)
        if not isinstance(layer, nn.Module):
            raise CMROrientError("this network does not draw: 'guide' needs draws = true in the recipe's [network]")
        self._drawn: Tensor | None = None
        layer.register_forward_hook(self._keep)

    def _keep(self, _layer: nn.Module, _inputs: Any, drawn: Tensor) -> None:
        self._drawn = drawn

    @property
    def side(self) -> int:
        """Cells along each side of the last drawing."""
        assert self._drawn is not None
        return int(self._drawn.shape[-1])

    def loss(self, tissues: Tensor, known: Tensor) -> Tensor:
        """Cross-entropy of the last drawing, averaged over the cells of the slices that have masks.

        Parameters
        ----------
        tissues:
            (N, tissues, side, side) shares of each cell.
        known:
            (N,) bool: which have masks.
        """
        assert self._drawn is not None
        drawn, self._drawn = self._drawn[known], None
        if len(drawn) == 0:
            return tissues.sum() * 0
        return -(tissues[known] * drawn.float().log_softmax(dim=1)).sum(dim=1).mean()
