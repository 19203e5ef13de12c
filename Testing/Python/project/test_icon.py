"""Extension, module and page have one icon: that of ``Documentation/draw_icon.py``."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from CMROrientLib.report.page import write_report


@pytest.fixture
def drawing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(repository / "Documentation")
    return importlib.import_module("draw_icon")


def test_the_pictures_are_up_to_date(drawing: ModuleType) -> None:
    assert len(drawing.PNG) == 2
    for place in drawing.PNG:
        stored = np.asarray(Image.open(place), int)
        assert np.abs(stored - np.asarray(drawing.png(), int)).max() <= 2, f"draw {place.name} anew: draw_icon.py"


def test_the_page_shows_it(drawing: ModuleType, tmp_path: Path) -> None:
    assert drawing.SVG.read_text(encoding="utf-8").endswith(drawing.svg()), "draw it anew: draw_icon.py"
    write_report([], tmp_path / "page.html", {})
    assert drawing.svg().strip() in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_both_forms_are_one_drawing(drawing: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    svg = pytest.importorskip("PySide6.QtSvg")
    gui = pytest.importorskip("PySide6.QtGui")
    picture = gui.QImage(drawing.SIDE, drawing.SIDE, gui.QImage.Format.Format_RGBA8888)
    picture.fill(0)
    painter = gui.QPainter(picture)
    text = drawing.svg().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    svg.QSvgRenderer(text.encode()).render(painter)
    painter.end()
    drawn = np.frombuffer(picture.constBits(), np.uint8).reshape(drawing.SIDE, drawing.SIDE, 4).astype(int)
    assert np.abs(drawn - np.asarray(drawing.png(), int)).mean() < 3
    assert np.mean(np.abs(drawn - np.asarray(drawing.png(), int)).max(axis=-1) > 40) < 0.03
