"""Standardizing on the fly in a training or inference pipeline, and the way back.

``StandardOrientationd`` is a dictionary transform of MONAI, ``ToStandardOrientation`` a transform of
torchio. Either library is imported when its transform is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..i18n import _

if TYPE_CHECKING:
    from .monai import StandardOrientationd
    from .torchio import ToStandardOrientation, TurnToStandardOrientation

_HOMES = {
    "StandardOrientationd": "monai",
    "ToStandardOrientation": "torchio",
    "TurnToStandardOrientation": "torchio",
}

__all__ = ["StandardOrientationd", "ToStandardOrientation", "TurnToStandardOrientation"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f".{_HOMES[name]}", __name__)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("CMROrientLib"):
            raise
        said = _("{name} needs the package {package!r}: pip install cmrorient[transforms]")
        raise UsageError(said.format(name=name, package=error.name)) from error
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
