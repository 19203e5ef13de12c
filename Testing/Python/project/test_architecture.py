"""The page and the picture of the architecture are those of this tree."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def drawing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(repository / "Documentation")
    return importlib.import_module("draw_architecture")


def test_the_picture_names_what_there_is(drawing: ModuleType) -> None:
    assert drawing.mistakes() == []


def test_the_picture_is_up_to_date(drawing: ModuleType, repository: Path) -> None:
    stored = (repository / "Documentation" / "architecture.svg").read_text(encoding="utf-8")
    assert stored == drawing.draw(), "draw it anew: python Documentation/draw_architecture.py"


def test_the_page_tells_of_every_room(drawing: ModuleType, repository: Path) -> None:
    text = (repository / "Documentation" / "architecture.md").read_text(encoding="utf-8")
    for layer in drawing.layers():
        for room in layer:
            name = f"{room}/" if (repository / "CMROrientLib" / room).is_dir() else f"{room}.py"
            assert f"`{name}`" in text, room
    rows = re.findall(r"^\| `(\w+)/` \|", text, flags=re.MULTILINE)
    assert [
        name for name in rows if not any((repository / part / name).is_dir() for part in ("", "CMROrientLib"))
    ] == []
