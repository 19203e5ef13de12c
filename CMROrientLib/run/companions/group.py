"""A group of images as plan and record name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from ..row import Row
from .grouping import Kind

#: (path, series): as in the record.
Key = tuple[str, str | None]


@dataclass(frozen=True)
class Group:
    """What a record says of the group that its image is decided on with.

    Parameters
    ----------
    name:
        The same for all of its images, and for no other group of the run.
    kind:
        ``channels``, ``sequences`` or ``stack``.
    companions:
        The other images.
    """

    name: str
    kind: Kind
    companions: tuple[Key, ...] = ()

    @property
    def words(self) -> str:
        """What it is, for people."""
        count = len(self.companions) + 1
        return {
            "channels": f"{count} channels of one case",
            "sequences": f"{count} images on one grid",
            "stack": f"{count} series of one stack",
        }[self.kind]

    @classmethod
    def of(cls, row: Row) -> Group | None:
        """From the flat form of a record. Raises ValueError where it does not fit."""
        name = row.get("group", str)
        kind: Kind | None = row.choice("group_kind", get_args(Kind))
        if name is None or kind is None:
            return None
        return cls(name, kind, tuple(_key(entry) for entry in row.rows("companions")))

    def flat_companions(self) -> list[Mapping[str, str | None]]:
        """The other images as JSON holds them."""
        return [{"path": path, "series": series} for path, series in self.companions]


def _key(entry: Mapping[str, object]) -> Key:
    row = Row(entry)
    path = row.get("path", str)
    if path is None:
        raise ValueError("a companion of it has no path")
    return path, row.get("series", str)
