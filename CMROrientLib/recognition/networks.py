"""The networks, by name: the paper's, its baselines, and the compact one of the universal model.

Every network maps float32 (N, channels, rows, columns) to logits (N, outputs): outputs 0 to 7 are
the orientation classes, a ninth one, where there is one, says "not a short-axis slice"
(out of distribution). A network
that draws the ventricles gives three more, where the heart lies, for a crop round it (``inference``),
and one that measures three behind these: the level of the slice and the direction between the ventricles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import CMROrientError
from ..i18n import _
from ..orientation import Orientation
from .cards.architecture import Setting

#: What is drawn: background, right ventricle, myocardium, left ventricle.
TISSUES = 4
#: Cells of a drawing along each side of a cell of the feature map that it is drawn from.
FINER = 4


#: Width of the hidden layer of heads that see more than the mean features.
HIDDEN = 64
#: What such a head knows of a drawing (``_shape_of``).
SHAPE = 21
#: What is measured: level, and the direction between the ventricles (column, row).
MEASURES = 3


class OrientNet(nn.Module):
    """The paper's network (Liu 2022, arXiv 2211.11336, figure 2), for inputs of 256 × 256.

    Parameters
    ----------
    outputs:
        8 in the paper.
    in_channels:
        3 in the paper: three truncations of the slice.
    """

    def __init__(self, outputs: int = 8, in_channels: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = in_channels
        for width in (32, 32, 64):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
            channels = width
        self.backbone = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten())
        self.head = nn.Sequential(nn.Linear(64 * 16 * 16, 64), nn.Sigmoid(), nn.Linear(64, outputs))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.backbone(images))
        return logits


@dataclass(frozen=True)
class Outputs:
    """What a ``CompactNet`` says about N images.

    Parameters
    ----------
    logits:
        (N, outputs).
    drawing:
        (N, tissues, side, side) of a network that draws.
    measures:
        (N, 3) of one that measures.
    """

    logits: Tensor
    drawing: Tensor | None
    measures: Tensor | None


class CompactNet(nn.Module):
    """A small residual network for inputs of any size.

    Each stage halves the resolution by a strided convolution and then refines it by residual
    blocks; the average over the last map goes through one linear layer. Another layer can draw the
    ventricles from that map, coarsely: taught by masks, it makes the network look at them.

    Parameters
    ----------
    outputs, in_channels:
        Length of the logits, channels of the input.
    channels:
        Width of each stage.
    blocks:
        Residual blocks of each stage.
    features:
        Width of the last map before averaging.
    dropout:
        Share of features dropped in training.
    draws:
        Whether it draws, and gives the heart's place behind the logits: centre (column, row) and
        diameter as shares of the input's side.
    measures:
        Whether it gives, behind the heart's place, the level of the slice (0 at the apex, 1 at the base) and
        the unit vector (column, row) from the right to the left ventricle in the input.
    doubts:
        Whether a head of its own gives the ninth output: it sees the features' means and maxima, the
        drawing, and what the layer of the classes says. The eight classes stay as they are without it.
    """

    def __init__(
        self,
        outputs: int = 9,
        in_channels: int = 1,
        channels: Sequence[int] = (16, 28, 64, 128),
        blocks: Sequence[int] = (0, 1, 1, 1),
        features: int = 256,
        dropout: float = 0.1,
        draws: bool = False,
        measures: bool = False,
        doubts: bool = False,
    ) -> None:
        super().__init__()
        if (measures or doubts) and not draws:
            raise CMROrientError(_("a network that measures or doubts also draws; add draws to its settings"))
        if doubts and outputs != len(Orientation) + 1:
            raise CMROrientError(_("a network that doubts has nine outputs; add the one for what is no short axis"))
        layers: list[nn.Module] = []
        width = in_channels
        for index, (stage, repeats) in enumerate(zip(channels, blocks, strict=True)):
            layers.append(_convolution(width, stage, kernel=5 if index == 0 else 3, stride=2))
            layers += [_Residual(stage) for _ in range(repeats)]
            width = stage
        self.backbone = nn.Sequential(*layers, _convolution(width, features, kernel=1))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, outputs))
        self.draws = draws
        if draws:
            self.draw = nn.Sequential(nn.Conv2d(features, TISSUES * FINER**2, 1), nn.PixelShuffle(FINER))
        self.measures, self.doubts = measures, doubts
        if measures:
            self.measure = _head(2 * features + SHAPE, MEASURES)
        if doubts:
            self.doubt = _head(2 * features + SHAPE + 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        found = self.everything(images)
        parts = [found.logits]
        if found.drawing is not None:
            parts.append(_place(found.drawing))
        if found.measures is not None:
            parts.append(found.measures)
        return torch.cat(parts, dim=1)

    def everything(self, images: Tensor) -> Outputs:
        """All that it says about images (N, channels, rows, columns)."""
        maps = self.backbone(images)
        mean = maps.mean(dim=(2, 3))
        logits = self.head(mean)
        if not self.draws:
            return Outputs(logits, None, None)
        drawing = self.draw(maps)
        if not (self.measures or self.doubts):
            return Outputs(logits, drawing, None)
        seen = torch.cat([mean, maps.amax(dim=(2, 3)), _shape_of(drawing)], dim=1)
        if self.doubts:
            eight = logits[:, :8]
            total = torch.logsumexp(eight, dim=1, keepdim=True)
            known = torch.cat([logits[:, 8:] - total, eight.amax(dim=1, keepdim=True) - total], dim=1)
            # Its own log-odds, however large the eight are.
            logits = torch.cat([eight, total + self.doubt(torch.cat([seen, known], dim=1))], dim=1)
        return Outputs(logits, drawing, self.measure(seen) if self.measures else None)


class EquivariantNet(nn.Module):
    """Equivariant to the eight turns by design: one score for "this is the standard orientation".

    The logit of class k is the score of the input with k undone, so that turning the input
    permutes the logits exactly. The out-of-distribution output is the mean of a second score. One pass costs
    eight of the scoring network. Parameters are those of ``CompactNet``, but that it does not draw.
    """

    def __init__(
        self,
        outputs: int = 9,
        in_channels: int = 1,
        channels: Sequence[int] = (16, 28, 64, 128),
        blocks: Sequence[int] = (0, 1, 1, 1),
        features: int = 256,
        dropout: float = 0.1,
        draws: bool = False,
    ) -> None:
        super().__init__()
        if draws:
            raise CMROrientError(_("an equivariant network does not draw; leave draws out"))
        self.outputs = outputs
        self.scorer = CompactNet(outputs - 7, in_channels, channels, blocks, features, dropout)

    @property
    def backbone(self) -> nn.Module:
        """The part that a transfer freezes."""
        return self.scorer.backbone

    @property
    def head(self) -> nn.Module:
        """The part that a transfer trains first."""
        return self.scorer.head

    def forward(self, images: Tensor) -> Tensor:
        scores = [self.scorer(turned(images, k.inverse)) for k in Orientation]
        logits = torch.stack([score[:, 0] for score in scores], dim=1)
        if self.outputs == 8:
            return logits
        other = torch.stack([score[:, 1] for score in scores], dim=1).mean(dim=1, keepdim=True)
        return torch.cat([logits, other], dim=1)


class Baseline(nn.Module):
    """A network of MONAI, with the names of backbone and head that a transfer needs."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._head = [head]

    @property
    def head(self) -> nn.Module:
        """The last layer."""
        return self._head[0]

    @property
    def backbone(self) -> nn.Module:
        """All of the network; the head inside is unfrozen again by whoever freezes this."""
        return self.network

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits


def _resnet18(outputs: int = 8, in_channels: int = 3) -> nn.Module:
    from monai.networks.nets.resnet import resnet18

    network = resnet18(
        spatial_dims=2, n_input_channels=in_channels, num_classes=outputs, conv1_t_stride=2, bias_downsample=False
    )
    head = network.fc
    assert isinstance(head, nn.Module)
    return Baseline(network, head)


def _densenet121(outputs: int = 8, in_channels: int = 3) -> nn.Module:
    from monai.networks.nets.densenet import DenseNet121

    network = DenseNet121(spatial_dims=2, in_channels=in_channels, out_channels=outputs)
    head = network.class_layers.out
    assert isinstance(head, nn.Module)
    return Baseline(network, head)


_NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "orientnet": OrientNet,
    "compact": CompactNet,
    "equivariant": EquivariantNet,
    "resnet18": _resnet18,
    "densenet121": _densenet121,
}

#: What ``build`` knows.
NAMES = tuple(_NETWORKS)


def build(name: str, **settings: Setting) -> nn.Module:
    """A freshly initialized network.

    Parameters
    ----------
    name:
        ``orientnet`` (the paper's), ``compact``, ``equivariant``, ``resnet18`` or ``densenet121``.
    settings:
        ``outputs`` (8 or 9), ``in_channels`` and what else the network takes.

    Raises
    ------
    CMROrientError
        On an unknown name or setting, and where MONAI is missing.
    """
    if name not in _NETWORKS:
        said = _("there is no network {name!r}; choose one of {names}")
        raise CMROrientError(said.format(name=name, names=", ".join(NAMES)))
    try:
        return _NETWORKS[name](**settings)
    except ModuleNotFoundError as error:
        said = _("the network {name!r} needs the package {package}: pip install {package}")
        raise CMROrientError(said.format(name=name, package=error.name)) from error
    except TypeError as error:
        said = _("the network {name!r} does not take these settings: {error}; mend them in its recipe or card").format(
            name=name, error=error
        )
        raise CMROrientError(said) from error


def parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters())


def multiply_adds(network: nn.Module, channels: int, size: int) -> int:
    """Multiply-adds of convolutions and linear layers for one input of (channels, size, size)."""
    total = 0

    def count(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        weight = layer.weight
        assert isinstance(weight, Tensor)
        total += output[0].numel() * weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    training = network.training
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, channels, size, size))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return total


def turned(images: Tensor, orientation: Orientation) -> Tensor:
    """``Orientation.apply`` for tensors: the last two axes are rows and columns."""
    matrix = orientation.matrix
    if orientation.exchanges_axes:
        images = images.transpose(-2, -1)
    axes = [axis for axis, signs in zip((-2, -1), matrix, strict=True) if signs.sum() < 0]
    return torch.flip(images, axes) if axes else images


def _place(drawn: Tensor) -> Tensor:
    """Centre (column, row) and diameter of what is no background: (N, 3), shares of the side."""
    heart = 1 - drawn.float().softmax(dim=1)[:, 0]
    # Squared, so that a little doubt everywhere weighs nothing.
    mass = heart * heart
    side = mass.shape[-1]
    steps = (torch.arange(side, device=mass.device, dtype=mass.dtype) + 0.5) / side
    total = mass.sum(dim=(1, 2)) + 1e-6
    column, row = (mass.sum(dim=1) * steps).sum(dim=1) / total, (mass.sum(dim=2) * steps).sum(dim=1) / total
    diameter = 2 / side * torch.sqrt(total / math.pi)
    return torch.stack([column, row, diameter], dim=1)


def _shape_of(drawing: Tensor) -> Tensor:
    """(N, 21) of ventricles and muscle: share, maximum, centre and spread, and the line from right to left."""
    tissues = drawing.float().softmax(dim=1)[:, 1:]
    side = tissues.shape[-1]
    steps = (torch.arange(side, device=drawing.device, dtype=torch.float32) + 0.5) / side - 0.5
    mass = tissues.sum(dim=(2, 3)) + 1e-3
    column, row = (tissues.sum(dim=2) * steps).sum(dim=2) / mass, (tissues.sum(dim=3) * steps).sum(dim=2) / mass
    square = (tissues.sum(dim=2) * steps**2).sum(dim=2) + (tissues.sum(dim=3) * steps**2).sum(dim=2)
    spread = torch.sqrt((square / mass - column**2 - row**2).clamp(min=1e-6))
    across, down = column[:, 2:] - column[:, :1], row[:, 2:] - row[:, :1]
    length = torch.sqrt(across**2 + down**2 + 1e-6)
    known = [torch.sqrt(mass) / side, tissues.amax(dim=(2, 3)), column, row, spread]
    line = [across, down, across / length, down / length, length, mass[:, 2:] / (mass[:, 1:2] + mass[:, 2:])]
    return torch.cat([*known, *line], dim=1)


def _head(inputs: int, outputs: int) -> nn.Sequential:
    """A small network on features; it puts them to one scale first."""
    return nn.Sequential(
        nn.BatchNorm1d(inputs, affine=False),
        nn.Dropout(0.1),
        nn.Linear(inputs, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, outputs),
    )


def _convolution(channels: int, width: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(width), nn.ReLU()
    )


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(images + self.second(self.first(images)))
