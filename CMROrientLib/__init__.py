"""CMROrient: recognize and correct the in-plane orientation of short-axis cardiac MR.

Importing this package imports neither torch nor ONNX Runtime nor Slicer; names are looked up when
they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import transforms as transforms
    from .adapters.correct import correct, undo
    from .correction import Correction, plan
    from .errors import CMROrientError
    from .folders import audit_folder, correct_folder, restore_folder
    from .io import read, write
    from .orientation import Orientation
    from .recognition.recognizer import Recognizer
    from .recognition.result import Recognition
    from .volume import Grid, Volume

__version__ = "1.0.0"

_HOMES = {
    "CMROrientError": "errors",
    "Correction": "correction",
    "Grid": "volume",
    "Orientation": "orientation",
    "Recognition": "recognition.result",
    "Recognizer": "recognition.recognizer",
    "Volume": "volume",
    "audit_folder": "folders",
    "correct": "adapters.correct",
    "correct_folder": "folders",
    "plan": "correction",
    "read": "io",
    "restore_folder": "folders",
    "undo": "adapters.correct",
    "write": "io",
}

#: Rooms that are looked up like names.
_ROOMS = ("transforms",)

__all__ = [
    "CMROrientError",
    "Correction",
    "Grid",
    "Orientation",
    "Recognition",
    "Recognizer",
    "Volume",
    "__version__",
    "audit_folder",
    "correct",
    "correct_folder",
    "plan",
    "read",
    "restore_folder",
    "transforms",
    "undo",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
