"""A stage of a recipe for torch: what is trained, by which optimizer, at which rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from ..errors import CMROrientError
from .recipe import Stage

#: Share of steps over which a cosine schedule warms up.
_WARM_UP = 0.05


def set_training(network: nn.Module, stage: Stage) -> None:
    """Training mode, with the backbone, or all but some parts, frozen where the stage says so.

    Raises CMROrientError where the network has no such part.
    """
    if stage.only:
        network.eval().requires_grad_(False)
        for name in stage.only:
            if name not in dict(network.named_children()):
                raise CMROrientError(f"the network has no part {name}; only is what a stage trains")
            network.get_submodule(name).train().requires_grad_(True)
        return
    backbone, head = network.backbone, network.head
    assert isinstance(backbone, nn.Module) and isinstance(head, nn.Module)
    network.train().requires_grad_(not stage.freeze_backbone)
    if stage.freeze_backbone:
        # Evaluation mode, too: else the batch-norm statistics would go on moving.
        backbone.eval()
        head.train().requires_grad_(True)


@dataclass(frozen=True)
class Optimization:
    """The optimizer of a stage and the schedule of its rate."""

    optimizer: torch.optim.Optimizer
    schedule: LambdaLR

    @classmethod
    def of(cls, network: nn.Module, stage: Stage, steps: int) -> Optimization:
        """For a stage of ``steps`` steps; the network is set to what the stage trains."""
        set_training(network, stage)
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        # Decaying biases and batch-norm scales only harms.
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": stage.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer: torch.optim.Optimizer
        if stage.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, lr=stage.rate, momentum=stage.momentum)
        else:
            optimizer = torch.optim.AdamW(groups, lr=stage.rate)
        factor = _cosine if stage.schedule == "cosine" else _constant
        return cls(optimizer, LambdaLR(optimizer, lambda step: factor(step / steps)))

    @property
    def rate(self) -> float:
        """Of the next step."""
        return float(self.schedule.get_last_lr()[0])

    def step(self, loss: torch.Tensor) -> None:
        """Change the weights by the gradient of a loss."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()

    def state(self) -> dict[str, dict[str, object]]:
        """What a checkpoint keeps."""
        return {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}

    def restore(self, state: Mapping[str, dict[str, object]]) -> None:
        """Go on from what ``state`` gave."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def _constant(progress: float) -> float:
    return 1.0


def _cosine(progress: float) -> float:
    """Up in a short while, then down to nothing."""
    return min((progress + 1e-3) / _WARM_UP, 1.0) * 0.5 * (1 + math.cos(math.pi * progress))
