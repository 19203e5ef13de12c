"""What a NRRD writer needs of the file that was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...metadata import Metadata
from .header import NrrdHeader
from .layout import Layout


@dataclass(frozen=True, kw_only=True)
class NrrdMetadata(Metadata):
    """The header, what its axes are, and the name of the file that it stood in."""

    kind: ClassVar[str] = "nrrd"

    header: NrrdHeader
    layout: Layout
    name: str
