"""The images of a group at work: each is looked at once, and one decision is made for all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ...errors import CMROrientError
from ...io import ImageFiles, read_source
from ...recognition.recognizer import Recognizer
from ...recognition.result import Recognition
from ...recognition.together import Look, decide_together, share_of_slices
from ..files import checksum
from .content import is_label_map
from .group import Key


class Company:
    """Images that the network decides on together.

    They are read and looked at only when the first of them asks for its result: where all of them are
    as an earlier run left them nobody asks. One volume is in memory at a time.

    Parameters
    ----------
    sources:
        The images.
    slice_axis:
        The stored axis that slices lie along; found where None.
    """

    def __init__(self, sources: Mapping[Key, ImageFiles], slice_axis: int | None) -> None:
        self.sources = sources
        self._slice_axis = slice_axis
        self._checksums: dict[Key, str] = {}
        self._found: dict[Key, Recognition] = {}
        self._failed: dict[Key, Exception] = {}

    @property
    def digest(self) -> str:
        """A name for all that is decided on: another where a file comes, goes or changes."""
        lines = [
            f"{path} {series or ''} {self._told(path, series)}\n" for path, series in sorted(self.sources, key=str)
        ]
        return hashlib.sha256("".join(lines).encode("utf-8", errors="surrogateescape")).hexdigest()

    def checksum(self, key: Key) -> str:
        """Of an image's files. Raises CMROrientError where one cannot be read."""
        if key not in self._checksums:
            self._checksums[key] = checksum(self.sources[key].files)
        return self._checksums[key]

    def recognition(self, key: Key, recognizer: Recognizer) -> Recognition:
        """The result for one of them. Raises what went wrong with this one."""
        if not self._found and not self._failed:
            self._look(recognizer)
        if key in self._failed:
            raise self._failed[key]
        return self._found[key]

    def _told(self, path: str, series: str | None) -> str:
        try:
            return self.checksum((path, series))
        except CMROrientError:
            return "unreadable"

    def _look(self, recognizer: Recognizer) -> None:
        looks: dict[Key, Look] = {}
        share = share_of_slices(len(self.sources))
        for key, source in self.sources.items():
            try:
                volume = read_source(source, self._slice_axis)
                if not is_label_map(volume):
                    looks[key] = recognizer.look(volume, limit=share)
            except Exception as error:  # the others are decided on without it, whatever it is made of
                self._failed[key] = error
        if len(looks) == 1:
            self._found = {key: recognizer.decide(look) for key, look in looks.items()}
        elif looks:
            self._found = dict(zip(looks, decide_together(recognizer, list(looks.values())), strict=True))
