"""What a network is built from, as cards and recipes say it; known without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..typed_json import read_object, write_object

#: A value that a network's builder takes.
Setting = str | bool | int | float | tuple[int, ...]


@dataclass(frozen=True)
class Architecture:
    """A network's name and settings; None leaves a setting to the network's own default.

    Parameters
    ----------
    name:
        See ``networks.build``.
    outputs, in_channels:
        Length of the logits, channels of the input.
    draws, measures, doubts, channels, blocks, features, dropout:
        See ``networks.CompactNet``.
    """

    name: str
    outputs: int | None = None
    draws: bool | None = None
    measures: bool | None = None
    doubts: bool | None = None
    in_channels: int | None = None
    channels: tuple[int, ...] | None = None
    blocks: tuple[int, ...] | None = None
    features: int | None = None
    dropout: float | None = None

    @classmethod
    def from_card(cls, data: object, where: str = "architecture") -> Architecture:
        """The architecture that a card or a recipe names. Raises ValueError with the key that is wrong."""
        return read_object(cls, data, where, strict=True)

    def to_card(self) -> dict[str, object]:
        """As cards and recipes keep it."""
        return write_object(self)

    @property
    def settings(self) -> Mapping[str, Setting]:
        """What the builder is called with."""
        given: dict[str, Setting | None] = {
            "outputs": self.outputs,
            "draws": self.draws,
            "measures": self.measures,
            "doubts": self.doubts,
            "in_channels": self.in_channels,
            "channels": self.channels,
            "blocks": self.blocks,
            "features": self.features,
            "dropout": self.dropout,
        }
        return {name: value for name, value in given.items() if value is not None}
