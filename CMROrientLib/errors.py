"""The one error that users see: a sentence that names the file and says what to do."""

from __future__ import annotations

import os


class CMROrientError(Exception):
    """Something that the person who started the run can understand and mend.

    Parameters
    ----------
    message:
        What is wrong and what to do, in one sentence or two.
    path:
        The file or folder concerned; it is put before the message.
    """

    def __init__(self, message: str, path: str | os.PathLike[str] | None = None) -> None:
        self.message = message
        self.path = None if path is None else os.fspath(path)
        super().__init__(message if self.path is None else f"{self.path}: {message}")

    def __reduce__(self) -> tuple[type, tuple[str, str | None]]:
        # Worker processes hand errors back pickled; the default would put the path in twice.
        return type(self), (self.message, self.path)


class UsageError(CMROrientError):
    """A wrong call, found before anything is written (exit status 2)."""
