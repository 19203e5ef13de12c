"""Where files really lie, whatever links say: each folder is looked up once."""

from __future__ import annotations

import os
from functools import lru_cache

#: Folders that are remembered; a walk comes to those of a tree one after the other.
_REMEMBERED = 4096


def lies_in(path: str, folder: str) -> bool:
    """Whether a real path is a folder's, or of something in it."""
    inner, outer = os.path.normcase(path), os.path.normcase(folder)
    return inner == outer or inner.startswith(outer if outer.endswith(os.sep) else outer + os.sep)


class RealPaths:
    """Paths without links in them, as ``os.path.realpath`` gives them."""

    def __init__(self) -> None:
        self._of_folder = lru_cache(maxsize=_REMEMBERED)(self.of)

    def of(self, path: str | os.PathLike[str]) -> str:
        """The real path of a file or a folder, which need not be there."""
        text = os.fspath(path)
        folder, name = os.path.split(text)
        # On Windows names have several forms, too. This is done many thousand times: text, not objects.
        if (
            os.name == "nt" or not folder.strip(os.sep) or name in ("", os.curdir, os.pardir) or os.path.islink(text)  # noqa: PTH114
        ):
            return os.path.realpath(text)
        return os.path.join(self._of_folder(folder), name)  # noqa: PTH118
