"""The panel in a dock of Slicer's window: it can be dragged down to 320 points, at any size of the system's font."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from panel_driver import phantom_node
from slicer_host import application, host, scene, slicer  # noqa: F401

from CMROrientLib.orientation import Orientation

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]

NARROW = 320
SIZES = (9, 11, 13, 16)


@pytest.fixture
def docked() -> Iterator[Callable[[int, bool], tuple[Any, Any]]]:
    """Opens the panel in a dock, at a size of the system's font (pt), light or dark; returns (panel, dock)."""
    import screenshots
    from dock import Dock
    from PySide6.QtGui import QPalette
    from PySide6.QtWidgets import QApplication

    font, opened = QApplication.font(), []

    def opener(points: int, dark: bool = False) -> tuple[Any, Any]:
        larger = QApplication.font()
        larger.setPointSize(points)
        QApplication.setFont(larger)
        QApplication.setPalette(screenshots.palette(dark))
        panel, window = host.open_panel()
        opened.append((panel, window, Dock(window)))
        return panel, opened[-1][2]

    yield opener
    for panel, window, dock in opened:
        dock.release()
        host.close_panel(panel, window)
    QApplication.setFont(font)
    QApplication.setPalette(QPalette())


def mirrored_stack(panel: Any) -> None:
    """Recognize what fills most of the panel: a conflict, a long name, and every sentence."""
    node = phantom_node(1, "false", name="SAX cine stack of a study with a name as scanners give them, series 12")
    panel.ui.inputSelector.setCurrentNode(node)
    panel.ui.recognizeButton.click()
    assert "CONFLICT" in panel.ui.conflictLabel.text


@pytest.mark.parametrize("points", SIZES)
def test_it_can_be_dragged_to_320_points_before_and_after_recognize(docked: Any, points: int) -> None:
    panel, dock = docked(points)
    assert dock.drag(NARROW) == NARROW, dock.least
    dock.drag(534)
    mirrored_stack(panel)
    assert dock.drag(NARROW) == NARROW, dock.least


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("points", SIZES)
def test_no_text_is_cut_off_in_320_points(docked: Any, points: int, dark: bool) -> None:
    from PySide6.QtGui import QFontMetrics
    from PySide6.QtWidgets import QLabel, QPushButton, QWidget

    panel, dock = docked(points, dark)
    mirrored_stack(panel)
    dock.drag(NARROW)
    shown = [widget for widget in dock.shown.findChildren(QWidget) if widget.property("visible")]
    cut = []
    for widget in shown:
        if not isinstance(widget, QLabel | QPushButton) or not widget.property("text"):
            continue
        words = [str(widget.property("text"))] if not widget.property("wordWrap") else []
        metrics = QFontMetrics(widget.property("font"))
        cut += [word for word in words if metrics.horizontalAdvance(word) > widget.property("width")]
        if widget.property("wordWrap") and widget.property("height") < QLabel.heightForWidth(
            widget, widget.property("width")
        ):
            cut.append(widget.property("text"))
    assert not cut
    for picture in (panel.ui.votesLabel, panel.ui.beforePicture, panel.ui.afterPicture):
        assert 0 < picture.pixmap.deviceIndependentSize().width() <= picture.width
        assert picture.pixmap.deviceIndependentSize().height() <= picture.height


def ink(picture: Any) -> np.ndarray:
    """Where something was drawn: bool, (rows, columns) of a pixmap at two pixels a point."""
    image = picture.toImage()
    return np.array([[image.pixelColor(x, y).alpha() > 0 for x in range(image.width())] for y in range(image.height())])


@pytest.mark.parametrize("points", [6, *SIZES, 24])
def test_nothing_of_the_chart_is_cut_off(docked: Any, points: int) -> None:
    from CMROrientPanel.pictures import votes_pixmap
    from PySide6.QtGui import QFont, QFontMetrics, QPalette

    font = QFont()
    font.setPointSize(points)
    votes = np.arange(8) * 111
    drawn = ink(votes_pixmap(votes, Orientation.ROTATE_90, QPalette(), font, 240, 2.0))
    assert drawn.shape[1] == 480 and not drawn[:, -2:].any()
    # Rows as high as the font keep names apart, and more votes are a longer bar at any size.
    assert len(drawn) >= 2 * 8 * QFontMetrics(font).height()
    rows = drawn.reshape(8, -1, 480).any(axis=1)
    ends = [np.flatnonzero(row)[-1] for row in rows]
    assert ends[1] < ends[3] < ends[7]


@pytest.mark.parametrize("points", SIZES)
def test_every_name_of_the_chart_is_whole_in_a_panel_of_320_points(docked: Any, points: int) -> None:
    from CMROrientPanel.pictures import votes_pixmap
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette, QPixmap

    panel, dock = docked(points)
    dock.drag(NARROW)
    font = QFont()
    font.setPointSize(points)
    width = int(panel.ui.sliceTable.width)
    drawn = ink(votes_pixmap(np.zeros(8, int), None, QPalette(), font, width, 2.0)).reshape(8, -1, 2 * width)
    for k in Orientation:
        alone = QPixmap(2 * width, 200)
        alone.setDevicePixelRatio(2.0)
        alone.fill(Qt.transparent)
        painter = QPainter(alone)
        painter.setFont(font)
        painter.drawText(QPoint(2, QFontMetrics(font).height()), k.short_name)
        painter.end()
        expected, row = ink(alone).any(axis=0), drawn[k].any(axis=0)
        picture = drawn.shape[1] - 4
        axis = np.flatnonzero(drawn[k].all(axis=0))[-1] - 2
        written = np.flatnonzero(row[picture:axis]) + picture
        assert np.ptp(written) == pytest.approx(np.ptp(np.flatnonzero(expected)), abs=3), k.short_name


def test_a_wide_chart_names_the_classes_in_words(docked: Any) -> None:
    from CMROrientPanel.pictures import names_of_classes
    from PySide6.QtGui import QFont, QFontMetrics

    metrics = QFontMetrics(QFont())
    assert names_of_classes(metrics, 2000) == {k: k.label for k in Orientation}
    assert names_of_classes(metrics, 200) == {k: k.short_name for k in Orientation}


@pytest.mark.parametrize("points", SIZES)
def test_pictures_follow_the_width_of_the_dock(docked: Any, points: int) -> None:
    panel, dock = docked(points)
    mirrored_stack(panel)
    widths = {}
    for width in (NARROW, 534, NARROW):
        dock.drag(width)
        widths[width] = (panel.ui.votesLabel.pixmap.width(), panel.ui.beforePicture.pixmap.height())
    assert widths[534][0] > widths[NARROW][0] + 100
    assert widths[534][1] >= widths[NARROW][1]
    assert panel.ui.votesLabel.pixmap.width() <= NARROW


def test_a_binding_of_an_older_qt_knows_whole_ratios_only(docked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pythonqt

    panel, _dock = docked(10)
    monkeypatch.setattr(pythonqt, "PYSIDE_ONLY", pythonqt.PYSIDE_ONLY | {"devicePixelRatioF"})
    mirrored_stack(panel)
    assert panel.ui.sliceTable.rowCount
