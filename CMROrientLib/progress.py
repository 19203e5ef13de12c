"""How long work tells how far it is; what a progress function raises ends the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Item = TypeVar("Item")

#: Called with (done, total).
Progress = Callable[[int, int], None]

#: Called with (what has just been done, done, total).
ItemProgress = Callable[[Item, int, int], None]
