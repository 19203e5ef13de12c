"""What a NIfTI writer needs of the file that was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from ...metadata import Metadata


@dataclass(frozen=True, kw_only=True)
class NiftiMetadata(Metadata):
    """The header's bytes, and those between it and the voxels (the extensions)."""

    kind: ClassVar[str] = "nifti"

    encoded: bytes
    between: bytes

    def header(self) -> Nifti1Header:
        """A fresh copy of the header, in the byte order of the file."""
        return parse(self.encoded)


def parse(encoded: bytes) -> Nifti1Header:
    """A header of either version from its bytes."""
    # check=False: nibabel's checks would mend the header and speak of it on standard error.
    make: Callable[..., Nifti1Header] = Nifti1Header if len(encoded) == Nifti1Header.sizeof_hdr else Nifti2Header
    return make(encoded, check=False)
