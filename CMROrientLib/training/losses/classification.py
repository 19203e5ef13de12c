"""The loss of the classes; ``auxiliary_loss`` adds that of the drawing, where masks are known."""

from __future__ import annotations

from torch import Tensor, nn


def classification_loss(logits: Tensor, wanted: Tensor, smoothing: float) -> Tensor:
    """Cross entropy of logits (N, outputs) and the classes that were wanted, with label smoothing."""
    return nn.functional.cross_entropy(logits.float(), wanted, label_smoothing=smoothing)
