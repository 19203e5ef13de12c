"""A flat row of JSON whose values are held against their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ..orientation import Orientation
from ..volume import Grid

_Choice = TypeVar("_Choice", bound=str)
_Kind = TypeVar("_Kind", bool, int, float, str)


class Row:
    """A row of which each value is asked for by name and type; what does not fit raises ValueError."""

    def __init__(self, flat: Mapping[str, object]) -> None:
        self._flat = flat

    def get(self, name: str, kind: type[_Kind]) -> _Kind | None:
        """The value, None where it is missing or null."""
        value = self._flat.get(name)
        # Nearly all are what they should be; a record has some fifty, an archive many records.
        if value is None or type(value) is kind:
            return value
        return _checked(name, value, kind)

    def several(self, name: str, kind: type[_Kind]) -> tuple[_Kind, ...]:
        """The values of a list, none where it is missing."""
        values = self._list(name)
        if all(type(value) is kind for value in values):
            return tuple(values)  # type: ignore[arg-type]
        return tuple(_checked(name, value, kind) for value in values)

    def rows(self, name: str) -> list[Mapping[str, object]]:
        """The objects of a list."""
        found = self._list(name)
        if not all(isinstance(entry, Mapping) for entry in found):
            raise ValueError(f"its {name} are no objects")
        return [entry for entry in found if isinstance(entry, Mapping)]

    def choice(self, name: str, choices: tuple[_Choice, ...]) -> _Choice | None:
        """One of some words."""
        value = self.get(name, str)
        if value is None:
            return None
        for choice in choices:
            if value == choice:
                return choice
        raise ValueError(f"its {name} is {value!r}, not one of {', '.join(choices)}")

    def orientation(self, name: str) -> Orientation | None:
        """A class 0 to 7."""
        value = self.get(name, int)
        return None if value is None else Orientation(value)

    def texts(self, name: str) -> dict[str, str] | None:
        """An object of texts, None where it is missing."""
        value = self._flat.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise ValueError(f"its {name} is no object")
        return {str(key): _checked(f"{name} {key}", text, str) for key, text in value.items()}

    def grid(self, name: str) -> Grid | None:
        """A grid."""
        value = self._flat.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise ValueError(f"its {name} is no grid")
        try:
            return Grid.from_json(dict(value))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"its {name} is no grid ({error})") from error

    def _list(self, name: str) -> list[object]:
        value = self._flat.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise ValueError(f"its {name} is no list")
        return value


def _checked(name: str, value: object, kind: type[_Kind]) -> _Kind:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return kind(value)
    # True is an int to Python, but no number in a record.
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"its {name} is {value!r}")
    return value
