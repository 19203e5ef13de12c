"""Weights on disk: the bundled ones by name, others by path.

A model is three files with one stem: ``NAME.onnx``, ``NAME.safetensors`` and the card ``NAME.json``.
``models/models.json`` holds the checksums of the bundled ones.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import CMROrientError

#: Where the bundled weights lie.
MODELS = Path(__file__).parent / "models"

#: The parts of a model, by suffix.
PARTS = (".onnx", ".safetensors", ".json")

_REQUIRED = ("name", "architecture", "preprocessing", "outputs")


@dataclass(frozen=True)
class ModelFiles:
    """One model on disk.

    Parameters
    ----------
    name:
        The card's name.
    onnx, safetensors:
        The same weights for ONNX Runtime and for PyTorch.
    card:
        What the model is: ``architecture``, ``preprocessing``, ``outputs``, ``closer``, ``training_sets``,
        ``recipe``, ``seed``, ``metrics``, ``known_failures``, ``license``, ``decision``.
    checksum:
        SHA-256 of the ONNX file, in hexadecimal digits.
    """

    name: str
    onnx: Path
    safetensors: Path
    card: dict[str, Any]
    checksum: str


def bundled() -> list[str]:
    """Names of the bundled models, the default ``universal`` first."""
    names = sorted(_index())
    return sorted(names, key=lambda name: name != "universal")


def find_model(name_or_path: str | os.PathLike[str]) -> ModelFiles:
    """The files of a model.

    Parameters
    ----------
    name_or_path:
        A bundled name, the path of one of the three files, or a folder that holds one model.

    Raises
    ------
    CMROrientError
        Where there is no such model, a part is missing, the card is no card, or the files are not
        the ones that the card (or, for a bundled model, the index) was written for.
    """
    if isinstance(name_or_path, str) and name_or_path in _index():
        folder, stem, expected = MODELS, name_or_path, _index()[name_or_path]
    else:
        folder, stem = _locate(Path(name_or_path))
        expected = {}
    paths = {suffix: folder / f"{stem}{suffix}" for suffix in PARTS}
    for path in paths.values():
        if not path.is_file():
            raise CMROrientError(
                "this part of the model is missing; a model is .onnx, .safetensors and .json side by side", path
            )
    card = _card(paths[".json"])
    checksums = {**card.get("sha256", {}), **expected}
    found = {suffix: _sha256(path, path.stat().st_mtime_ns) for suffix, path in paths.items()}
    for suffix, path in paths.items():
        if checksums.get(suffix, found[suffix]) != found[suffix]:
            raise CMROrientError("this file is damaged or was exchanged: its checksum is not the recorded one", path)
    return ModelFiles(card["name"], paths[".onnx"], paths[".safetensors"], card, found[".onnx"])


def write_index(folder: Path = MODELS) -> Path:
    """Write ``models.json``: the checksums of every model in ``folder``."""
    index = {}
    for card in sorted(folder.glob("*.json")):
        if card.name == "models.json":
            continue
        parts = {suffix: card.with_suffix(suffix) for suffix in PARTS}
        index[card.stem] = {suffix: hashlib.sha256(path.read_bytes()).hexdigest() for suffix, path in parts.items()}
    path = folder / "models.json"
    temporary = folder / f".{os.getpid()}-models.json"
    temporary.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
    _index.cache_clear()
    return path


@lru_cache(maxsize=1)
def _index() -> dict[str, dict[str, str]]:
    path = MODELS / "models.json"
    if not path.is_file():
        return {}
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CMROrientError(f"the index of models cannot be read ({error}); reinstall CMROrient", path) from error
    return dict(index)


def _locate(path: Path) -> tuple[Path, str]:
    if path.is_dir():
        stems = sorted(p.stem for p in path.glob("*.onnx"))
        if len(stems) != 1:
            raise CMROrientError(f"the folder holds {len(stems)} .onnx files; name one of them", path)
        return path, stems[0]
    if path.suffix in PARTS and path.is_file():
        return path.parent, path.stem
    if path.suffix in PARTS or len(path.parts) > 1:
        raise CMROrientError("there is no model here", path)
    raise CMROrientError(
        f"there is no model {str(path)!r}; bundled are {', '.join(bundled())}; others are given by path"
    )


def _card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CMROrientError(f"the model's card cannot be read ({error})", path) from error
    missing = [key for key in _REQUIRED if not isinstance(card, dict) or key not in card]
    if missing:
        raise CMROrientError(f"this is no model card: it lacks {', '.join(missing)}", path)
    return dict(card)


@lru_cache(maxsize=64)
def _sha256(path: Path, changed: int) -> str:
    # ``changed`` (the file's time) is part of the key: a file that was replaced is read again.
    return hashlib.sha256(path.read_bytes()).hexdigest()
