"""Reading and writing images: NIfTI, NRRD, MetaImage and DICOM.

Values are read raw (no slope applied), and what a header holds beside the grid is kept for a
writer of the same format.
"""

from __future__ import annotations

from .find import find
from .image_files import ImageFiles
from .read_write import read, read_source, write, write_source
from .suffixes import SUFFIXES, suffix_of, without_suffix

__all__ = [
    "SUFFIXES",
    "ImageFiles",
    "find",
    "read",
    "read_source",
    "suffix_of",
    "without_suffix",
    "write",
    "write_source",
]
