"""Weights come from safetensors and ONNX files whose checksums were recorded; nothing that can hold code is run."""

from __future__ import annotations

import ast
from pathlib import Path

import parts
import pytest

from CMROrientLib.errors import CMROrientError
from CMROrientLib.recognition.cards.model_files import MODELS, PARTS, bundled, find_model

#: Modules whose reading can run what a file says.
UNSAFE = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def _calls(path: Path) -> list[tuple[ast.Call, str]]:
    """Every call of a file with the dotted name of what is called."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [(node, ast.unparse(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _sources() -> list[Path]:
    return [
        path
        for folder in ("CMROrientLib", "CMROrient", "Training")
        for path in (parts.REPOSITORY / folder).rglob("*.py")
    ]


def test_nothing_that_can_hold_code_is_imported() -> None:
    found = []
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.name}: {name}" for name in names if name.split(".")[0] in UNSAFE]
    assert found == []


def test_torch_and_numpy_read_numbers_only() -> None:
    """A checkpoint of training is torch's own format, read without its unpickler's freedom; arrays without objects."""
    loads = []
    for path in _sources():
        for call, name in _calls(path):
            given = {word.arg: ast.unparse(word.value) for word in call.keywords}
            if name == "torch.load":
                loads.append(path.name)
                assert given.get("weights_only") == "True", path
            if name.endswith(("np.load", "numpy.load")):
                # NumPy's default, since 1.16.3, is not to.
                assert given.get("allow_pickle", "False") == "False", path
    assert loads == ["checkpoint.py"]


@pytest.mark.parametrize("name", bundled())
def test_each_bundled_file_has_its_checksum(name: str) -> None:
    found = find_model(name)
    assert len(found.checksum) == 64
    assert found.onnx.is_file() and found.safetensors.is_file()


@pytest.mark.parametrize("part", [".onnx", ".safetensors"])
def test_one_other_byte_is_refused(part: str, tmp_path: Path) -> None:
    for suffix in PARTS:
        (tmp_path / f"cine{suffix}").write_bytes((MODELS / f"cine{suffix}").read_bytes())
    assert find_model(tmp_path).card
    path = tmp_path / f"cine{part}"
    weights = bytearray(path.read_bytes())
    weights[len(weights) // 2] ^= 1
    path.write_bytes(weights)
    with pytest.raises(CMROrientError, match="damaged or was exchanged"):
        find_model(tmp_path)
