"""What to do where the system refuses to write a file: it depends on why."""

from __future__ import annotations

import errno
from pathlib import Path

from ..errors import CMROrientError


def cannot_write(
    error: OSError, path: Path, folder: str = "", kind: type[CMROrientError] = CMROrientError
) -> CMROrientError:
    """The error for a file that could not be written: the system's reason, and the next step that fits it.

    Parameters
    ----------
    folder:
        What people call it, where it is a folder.
    kind:
        Of the error: ``UsageError`` before anything is written.
    """
    if error.errno in (errno.EACCES, errno.EPERM):
        # On Windows a file is mostly a table in Excel or an image in a viewer.
        first = "change its permissions" if folder else "close the program that has it open"
        advice = f"{first}, or give another folder"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "make room there, or give another folder"
    elif error.errno == errno.EROFS:
        advice = "give another folder, on a disk that can be written"
    elif error.errno == errno.ENAMETOOLONG:
        advice = "rename it, or give another folder"
    elif error.errno in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY):
        advice = "move away what is in the way, or give another folder"
    else:
        advice = "check the disk, or give another folder"
    what = f"{folder} " if folder else ""
    return kind(f"{what}cannot be written ({reason(error)}); {advice}", path)


def reason(error: OSError) -> str:
    """What the system says, without a full stop."""
    return (error.strerror or str(error)).rstrip(".")
