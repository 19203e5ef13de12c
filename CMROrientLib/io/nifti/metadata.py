"""What a NIfTI writer needs of the file that was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...metadata import Metadata
from .header import Header


@dataclass(frozen=True, kw_only=True)
class NiftiMetadata(Metadata):
    """The header's bytes, and those between it and the voxels (the extensions)."""

    kind: ClassVar[str] = "nifti"

    encoded: bytes
    between: bytes

    def header(self) -> Header:
        """A fresh copy of the header, in the byte order of the file."""
        return Header.parse(self.encoded)
