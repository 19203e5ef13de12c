"""What a MetaImage writer needs of the file that was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...metadata import Metadata
from .header import MetaImageHeader


@dataclass(frozen=True, kw_only=True)
class MetaImageMetadata(Metadata):
    """The header, and the name of the file that it stood in."""

    kind: ClassVar[str] = "metaimage"

    header: MetaImageHeader
    name: str
