"""What an install brings, and what the panel asks for, is what the code imports: no package more, none less."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import parts
import pytest

from CMROrientLib.mrml.requirements import FOR_CUDA, FOR_FILES, FOR_NETWORK

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIBRARY = parts.REPOSITORY / "CMROrientLib"

#: Imported where they are there, and done without where they are not; each comes with the extra named.
OPTIONAL = {
    "torch": "cuda",
    "safetensors": "cuda",
    "monai": "train",
    "torchio": "transforms",
    "distributed": "dask",
    "gdcm": "codecs",
    "argcomplete": "completion",
}

#: Import names that differ from the package's; every other one is the same up to case.
SOLD_AS = {
    "PIL": "pillow",
    "gdcm": "python-gdcm",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tomllib": "tomli",  # before Python 3.11
}

#: What Slicer itself is.
OF_SLICER = {"slicer", "vtk"}

#: The rooms that a press of Recognize or Correct walks through.
OF_THE_PANEL = ("recognition", "mrml", "phantom")


def modules(*rooms: str) -> list[Path]:
    """The modules of the core (what lies in no room) and of the rooms named."""
    core = [path for path in LIBRARY.glob("*.py") if path.name not in ("__main__.py", "slicer_cli.py")]
    return core + [path for room in rooms for path in (LIBRARY / room).rglob("*.py")]


def packages(paths: Iterable[Path]) -> set[str]:
    """The packages of others that modules import, anywhere in them."""
    found: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names) - OF_SLICER - {"CMROrientLib"}


def project() -> dict[str, list[str]]:
    """The requirements of a plain install under "", and of each extra under its name."""
    declared = tomllib.loads((parts.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": declared["dependencies"], **declared["optional-dependencies"]}


def package(requirement: str) -> str:
    """The name in front of a requirement's version."""
    return re.split(r"[\s<>=!~;\[]", requirement)[0]


def as_sold(names: Iterable[str]) -> set[str]:
    """Packages by the names that an index knows them by, in lower case."""
    return {SOLD_AS.get(name, name).lower() for name in names}


def declared(extra: str = "") -> set[str]:
    return {package(requirement).lower() for requirement in project()[extra]}


def test_a_plain_install_brings_what_its_modules_import_and_nothing_else() -> None:
    rooms = [path.name for path in LIBRARY.iterdir() if (path / "__init__.py").is_file() and path.name != "training"]
    assert {"recognition", "io", "run", "mrml", "cli"} <= set(rooms)
    assert declared() == as_sold(packages(modules(*rooms)) - OPTIONAL.keys())


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_is_done_without_comes_with_its_extra(name: str) -> None:
    assert as_sold([name]) <= declared(OPTIONAL[name])


def test_what_only_training_needs_comes_with_its_extra() -> None:
    beyond = as_sold(packages(modules("training"))) - declared()
    assert "scikit-image" in beyond and beyond <= declared("train")


def test_the_panel_asks_for_what_recognition_imports_and_nothing_else() -> None:
    # The core's pictures are those of pages and notebooks.
    needed = packages(path for path in modules(*OF_THE_PANEL) if path.name != "pictures.py")
    assert FOR_NETWORK.keys() == needed - OPTIONAL.keys() - {"numpy"}


def test_the_panel_offers_what_cuda_needs_beyond_pytorch() -> None:
    assert FOR_CUDA.keys() == {"safetensors"}
    assert list(FOR_CUDA.values()) == [one for one in project()["cuda"] if package(one) != "torch"]


def test_commands_inside_slicer_ask_for_the_rest_of_a_plain_install_in_the_same_versions() -> None:
    assert not FOR_NETWORK.keys() & FOR_FILES.keys()
    asked = {**FOR_NETWORK, **FOR_FILES}
    # Slicer has numpy, and without ISA-L zlib packs voxels.
    rest = [one for one in project()[""] if package(one) not in ("numpy", "isal")]
    assert sorted(asked.values()) == sorted(rest)
    assert all(as_sold([name]) == {package(requirement).lower()} for name, requirement in asked.items())
