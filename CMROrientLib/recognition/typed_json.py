"""Dataclasses from JSON objects and back again: every key has a type, and a wrong one is named."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, ClassVar, Literal, Protocol, TypeVar, Union, cast, get_args, get_origin, get_type_hints


class Dataclass(Protocol):
    """An instance of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Instance = TypeVar("Instance", bound=Dataclass)

_WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


def in_json(name: str | None = None, *, strict: bool = False, left_out: bool = False) -> dict[str, object]:
    """The metadata of a field that JSON knows by another name, whose unknown keys are refused, or that stays out."""
    return {"key": name, "strict": strict, "left_out": left_out}


def read_object(kind: type[Instance], data: object, where: str = "", *, strict: bool = False) -> Instance:
    """A dataclass from a JSON object.

    Parameters
    ----------
    kind:
        Its fields are text, flags, numbers, choices (``Literal``), lists (``tuple``), objects
        (``Mapping`` or another dataclass), each of them or None, or ``object`` for what nobody checks.
    data:
        What ``json`` gave.
    where:
        The key of this object, for messages.
    strict:
        Refuse unknown keys.

    Raises
    ------
    ValueError
        With the key, where one is missing, unknown or of another type, or where the class refuses a value.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{where or 'it'} is no object")
    hints, keys = _hints(kind), _keys(kind)
    unknown = [name for name in data if name not in keys]
    if strict and unknown:
        raise ValueError(f"there is no {', '.join(_path(where, str(name)) for name in sorted(unknown))}")
    missing = [name for name, one in keys.items() if name not in data and _required(one)]
    if missing:
        raise ValueError(f"it lacks {', '.join(_path(where, name) for name in missing)}")
    values = {
        one.name: _typed(hints[one.name], data[name], _path(where, name), bool(one.metadata.get("strict")))
        for name, one in keys.items()
        if name in data
    }
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from error


def write_object(instance: Dataclass, as_read: Mapping[str, object] | None = None) -> dict[str, object]:
    """The JSON object of a dataclass; None is not written.

    Parameters
    ----------
    as_read:
        The object that it was read from: its order and its unknown keys stay, and defaults that it did
        not say are not said.
    """
    said = as_read or {}
    keys = _keys(type(instance))
    written: dict[str, object] = {}
    for name, one in keys.items():
        value = getattr(instance, one.name)
        if value is None or (as_read is not None and name not in said and value == _default(one)):
            continue
        inner = said.get(name)
        written[name] = _plain(value, inner if isinstance(inner, Mapping) else None)
    kept = {name: said[name] for name in said if name in written or name not in keys}
    return {**kept, **written}


def _plain(value: object, as_read: Mapping[str, object] | None) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return write_object(value, as_read)
    if isinstance(value, tuple):
        return [_plain(entry, None) for entry in value]
    if isinstance(value, Mapping):
        return {name: _plain(entry, None) for name, entry in value.items()}
    return value


def _typed(kind: Any, value: object, where: str, strict: bool = False) -> object:
    """The value, where it is of the kind that a type hint names."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind is object:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inside:
            return None
        (kind,) = (one for one in inside if one is not type(None))
        return _typed(kind, value, where, strict)
    if origin is Literal:
        if value not in inside:
            raise ValueError(f"{where} is {value!r}, not one of {', '.join(map(str, inside))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{where} is no list")
        return tuple(_typed(inside[0], entry, f"{where}[{number}]") for number, entry in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} is no object")
        return {str(name): _typed(inside[1], entry, _path(where, str(name))) for name, entry in value.items()}
    if is_dataclass(kind):
        return read_object(cast("type[Dataclass]", kind), value, where, strict=strict)
    return _simple(kind, value, where)


def _simple(kind: type, value: object, where: str) -> object:
    accepted = (int, float) if kind is float else (kind,)
    # Python counts True as a whole number.
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{where} is not {_WORDS[kind]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is not a finite number")
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _keys(kind: type[Dataclass]) -> dict[str, Field[Any]]:
    """The fields by their keys in JSON."""
    return {one.metadata.get("key") or one.name: one for one in fields(kind) if not one.metadata.get("left_out")}


def _required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _default(one: Field[Any]) -> object:
    if one.default_factory is not MISSING:
        return one.default_factory()
    return one.default


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
