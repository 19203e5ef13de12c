"""Packages that a plain install does not bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import UsageError


@contextmanager
def extra_packages(extra: str = "train") -> Iterator[None]:
    """Round imports that need an extra: raises UsageError, which says how to install it, where one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("CMROrientLib"):
            raise
        raise UsageError(f"this command needs the package {error.name!r}: pip install cmrorient[{extra}]") from error
