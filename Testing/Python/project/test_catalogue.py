"""The entry of Slicer's Extensions Index, ready to be submitted, and what the Index checks of a repository."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import parts
import pytest

ENTRY = parts.REPOSITORY / "CMROrient.json"
CMAKE = parts.REPOSITORY / "CMakeLists.txt"
RAW = "https://raw.githubusercontent.com/CMROrient/SlicerCMROrient/main/"

#: What an entry of the Index may say: its schema 1.0.2, in the words of this test.
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["$schema", "category", "scm_url"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "category": {"type": "string"},
        "scm_url": {"type": "string"},
        "scm_revision": {"type": "string"},
        "scm_type": {"enum": ["git", "local"]},
        "build_dependencies": {"type": "array", "items": {"type": "string"}},
        "build_subdirectory": {"type": "string"},
        "dicom_support_rule": {"type": "string"},
        "enabled": {"type": "boolean"},
        "tier": {"type": "integer", "minimum": 1, "maximum": 5},
    },
}
SCHEMA_PLACE = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    loaded = json.loads(ENTRY.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def said_by_cmake(name: str) -> str:
    """The value of ``set(EXTENSION_NAME "…")``, found as the Index finds it: in the text, without running CMake."""
    (value,) = re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"[ ]*\)', CMAKE.read_text(encoding="utf-8"))
    return str(value)


def test_the_entry_fits_the_schema_of_the_index(entry: dict[str, Any]) -> None:
    jsonschema = parts.need_module("jsonschema")
    jsonschema.validate(entry, SCHEMA)
    assert entry["$schema"] == SCHEMA_PLACE
    for wrong in ({"status": "Beta"}, {"tier": 6}, {"build_dependencies": "PyTorch"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**entry, **wrong}, SCHEMA)


def test_the_entry_is_written_as_those_of_the_index() -> None:
    content = ENTRY.read_bytes()
    assert b"\r" not in content
    assert content.decode("utf-8") == json.dumps(json.loads(content), indent=2, sort_keys=True) + "\n"


def test_the_names_are_those_that_the_index_takes(entry: dict[str, Any]) -> None:
    (project,) = re.findall(r"project\s*\(\s*([^\s)]+)", CMAKE.read_text(encoding="utf-8"))
    assert project == ENTRY.stem and not project.lower().startswith("slicer")
    place = entry["scm_url"].removesuffix(".git")
    assert place == said_by_cmake("HOMEPAGE") and place.rpartition("/")[2].startswith("Slicer")
    assert (parts.REPOSITORY / "LICENSE.txt").is_file()
    # One of the categories that the Index accepts, and the module's own.
    assert entry["category"] == "Cardiac"
    assert '"Cardiac")]' in (parts.REPOSITORY / "CMROrient" / "CMROrient.py").read_text(encoding="utf-8")


def test_the_entry_and_cmake_say_the_same(entry: dict[str, Any]) -> None:
    assert entry["build_dependencies"] == said_by_cmake("DEPENDS").split()
    text = CMAKE.read_text(encoding="utf-8")
    # They belong to the entry, and would be said twice.
    for name in ("CATEGORY", "STATUS", "BUILD_SUBDIRECTORY"):
        assert f"EXTENSION_{name}" not in text


@pytest.mark.parametrize("name", ["ICONURL", "SCREENSHOTURLS"])
def test_the_index_finds_each_picture(name: str) -> None:
    addresses = said_by_cmake(name).split()
    assert addresses
    for address in addresses:
        assert address.startswith(RAW)
        assert (parts.REPOSITORY / address.removeprefix(RAW)).read_bytes().startswith(b"\x89PNG")


def test_the_contributors_are_the_same_everywhere(repository: Path) -> None:
    module = (repository / "CMROrient" / "CMROrient.py").read_text(encoding="utf-8")
    (of_the_module,) = re.findall(r'parent\.contributors = \["([^"]+)"\]', module)
    everybody = said_by_cmake("CONTRIBUTORS")
    assert everybody == f"The {of_the_module}"
    citation = parts.need_module("yaml").safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["authors"] == [{"name": everybody}]


def test_the_repository_is_as_small_as_the_index_asks() -> None:
    listed = subprocess.run(
        [parts.need_program("git"), "ls-files", "-z"], cwd=parts.REPOSITORY, capture_output=True, encoding="utf-8"
    )
    if listed.returncode:
        parts.missing("needs a git checkout")
    files = [parts.REPOSITORY / name for name in listed.stdout.split("\0") if name]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 100 * 2**20
