"""Slicer's main window as far as widths go: the module in a scroll area that never scrolls sideways, in a dock.

As ``qSlicerModulePanel`` does it, the dock cannot be narrower than the module's least width and the
scroll bar beside it.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QGridLayout,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

_HEIGHT = 900
#: The views' share of the main window (points).
_VIEWS = 500


class _ModulePanel(QWidget):
    def __init__(self, module: QWidget) -> None:
        super().__init__()
        self._contents = QWidget()
        column = QVBoxLayout(self._contents)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSizeConstraint(QVBoxLayout.SetMinAndMaxSize)
        QWidget.layout(module).setContentsMargins(0, 0, 0, 0)
        QWidget.setSizePolicy(module, QSizePolicy.Minimum, QSizePolicy.Preferred)
        column.addWidget(module, 1)
        self.scroll = QScrollArea()
        self.scroll.setFrameShape(QFrame.NoFrame)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.scroll.setWidgetResizable(True)
        self.scroll.setWidget(self._contents)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.scroll)

    def minimumSizeHint(self) -> QSize:
        bar = self.scroll.horizontalScrollBar().sizeHint().width()
        return QSize(self._contents.minimumSizeHint().width() + bar, super().minimumSizeHint().height())


class Dock:
    """A main window with a module's widget in its dock; the person drags it to a width.

    Parameters
    ----------
    module:
        The module's window, as ``host.open_panel`` gives it. It belongs to the dock until ``release``.
    """

    def __init__(self, module: QWidget) -> None:
        self._module = module
        self.main = QMainWindow()
        self.main.setCentralWidget(QWidget())
        self._panel = _ModulePanel(module)
        self._dock = QDockWidget("Modules")
        self._dock.setWidget(self._panel)
        self.main.addDockWidget(Qt.LeftDockWidgetArea, self._dock)
        QWidget.show(module)
        self.main.show()
        self.drag(1)

    def drag(self, width: int) -> int:
        """Drag the dock's edge to a width; returns the width that it gets (points)."""
        # Layouts that wait for their size settle in a few turns of the event loop.
        for _ in range(3):
            self._panel.updateGeometry()
            self.main.resize(max(width, self.least) + _VIEWS, _HEIGHT)
            self.main.resizeDocks([self._dock], [width], Qt.Horizontal)
            QApplication.processEvents()
        return self._dock.width()

    @property
    def least(self) -> int:
        """The least width that the module in it allows (points)."""
        return self._panel.minimumSizeHint().width()

    @property
    def shown(self) -> QWidget:
        """All of the module, as tall as it is."""
        return self._panel.scroll.widget()

    def release(self) -> None:
        """Give the module's window back and close the main window."""
        QWidget.setParent(self._module, None)
        self.main.close()
        self.main.deleteLater()
