"""Weights on disk: the bundled ones by name, others by path.

A model is three files with one stem: ``NAME.onnx``, ``NAME.safetensors`` and the card ``NAME.json``. On the
CPU it does without the second.
``models/models.json`` holds the checksums of the bundled ones.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...errors import CMROrientError, UsageError
from ...i18n import _
from ...io.atomic import write_text
from .card import Card, read_card

#: Where the bundled weights lie.
MODELS = Path(__file__).parents[1] / "models"

#: The parts of a model, by suffix.
PARTS = (".onnx", ".safetensors", ".json")


@dataclass(frozen=True)
class ModelFiles:
    """One model on disk.

    Parameters
    ----------
    onnx, safetensors:
        The same weights for ONNX Runtime and for PyTorch; only the first need be there.
    card:
        What the model is.
    checksum:
        SHA-256 of the ONNX file, in hexadecimal digits.
    """

    onnx: Path
    safetensors: Path
    card: Card
    checksum: str

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """All of a model that a result depends on, as JSON can hold it.

        A run is resumed where it has not changed, so what version 1.0 put into its records has to stay:
        the checksum and the card's sections of preprocessing and decision, as they stand in the file, but for
        the rule of early looks.
        """
        decision = self._decision
        without = {name: value for name, value in decision.items() if name != "early"} if decision else decision
        return self.checksum, self.card.written.get("preprocessing"), without

    @property
    def early(self) -> object:
        """The rule of early looks as JSON can hold it; None where there is none."""
        return (self._decision or {}).get("early") or None

    @property
    def _decision(self) -> dict[str, object] | None:
        """The card's section as it stands in the file."""
        decision = self.card.written.get("decision")
        return dict(decision) if isinstance(decision, Mapping) else None


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
    UsageError
        Where there is no such model.
    CMROrientError
        Where its ONNX file or card is missing, the card is no card, or the files are not
        the ones that the card (or, for a bundled model, the index) was written for.
    """
    if isinstance(name_or_path, str) and name_or_path in _index():
        folder, stem, expected = MODELS, name_or_path, _index()[name_or_path]
    else:
        folder, stem = _locate(Path(name_or_path))
        expected = {}
    paths = {suffix: folder / f"{stem}{suffix}" for suffix in PARTS}
    for suffix, path in paths.items():
        if not path.is_file() and suffix != ".safetensors":
            raise CMROrientError(
                _("this part of the model is missing; copy .onnx, .safetensors and .json side by side"), path
            )
    card = _card(paths[".json"], _state(paths[".json"]))
    checksums = {**(card.sha256 or {}), **expected}
    found = {suffix: _sha256(path, _state(path)) for suffix, path in paths.items() if path.is_file()}
    for suffix, checksum in found.items():
        if checksums.get(suffix, checksum) != checksum:
            said = _(
                "this file is damaged or was exchanged: its checksum is not the recorded one; copy the model anew, or "
                "reinstall CMROrient"
            )
            raise CMROrientError(said, paths[suffix])
    return ModelFiles(paths[".onnx"], paths[".safetensors"], card, found[".onnx"])


def write_index(folder: Path = MODELS) -> Path:
    """Write ``models.json``: the checksums of every model in ``folder``."""
    index = {}
    for card in sorted(folder.glob("*.json")):
        if card.name == "models.json":
            continue
        parts = {suffix: card.with_suffix(suffix) for suffix in PARTS}
        index[card.stem] = {suffix: hashlib.sha256(path.read_bytes()).hexdigest() for suffix, path in parts.items()}
    path = folder / "models.json"
    write_text(path, json.dumps(index, indent=2) + "\n")
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
        said = _("the index of models cannot be read ({error}); reinstall CMROrient")
        raise CMROrientError(said.format(error=error), path) from error
    return dict(index)


def _locate(path: Path) -> tuple[Path, str]:
    if path.is_dir():
        stems = sorted(p.stem for p in path.glob("*.onnx"))
        if len(stems) != 1:
            said = _("the folder holds {count} .onnx files; name one of them")
            raise UsageError(said.format(count=len(stems)), path)
        return path, stems[0]
    if path.suffix in PARTS and path.is_file():
        return path.parent, path.stem
    if path.suffix in PARTS or len(path.parts) > 1:
        raise UsageError(
            _("there is no model here; give the path of its .onnx file, or the name of a bundled one"), path
        )
    said = _("there is no model {name!r}; bundled are {bundled}; others are given by path")
    raise UsageError(said.format(name=str(path), bundled=", ".join(bundled())))


def _state(path: Path) -> tuple[int, int]:
    """Time and size: a file that was replaced has others."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


# What was read stays as long as the file's state, the second argument, is the same.
@lru_cache(maxsize=64)
def _card(path: Path, _file: tuple[int, int]) -> Card:
    return read_card(path)


@lru_cache(maxsize=64)
def _sha256(path: Path, _file: tuple[int, int]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
