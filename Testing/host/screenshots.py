"""Pictures of the panel with the synthetic heart: ``python Testing/host/screenshots.py [FOLDER]``.

Writes empty, recognized, conflict, corrected and cancelled, each in light and dark, and the steps of the
tutorial. No picture shows a real image.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import host

WIDTH = 480
#: A picture that is larger has no place in the repository (bytes).
LARGEST = 300_000


def palette(dark: bool) -> Any:
    """Slicer's light or dark theme, as Fusion draws it."""
    from PySide6.QtGui import QColor, QPalette

    colours = {
        "Window": ("#f0f0f0", "#353535"),
        "Base": ("#ffffff", "#252525"),
        "AlternateBase": ("#f7f7f7", "#2e2e2e"),
        "Button": ("#f0f0f0", "#3d3d3d"),
        "WindowText": ("#1b1b1b", "#ececec"),
        "Text": ("#1b1b1b", "#ececec"),
        "ButtonText": ("#1b1b1b", "#ececec"),
        "ToolTipBase": ("#ffffdc", "#353535"),
        "ToolTipText": ("#1b1b1b", "#ececec"),
        "PlaceholderText": ("#77777f", "#a0a0a5"),
        "Highlight": ("#2f7fc1", "#2a6ca8"),
        "HighlightedText": ("#ffffff", "#ffffff"),
        "Mid": ("#a0a0a0", "#6a6a6a"),
    }
    made = QPalette(QColor(colours["Button"][dark]), QColor(colours["Window"][dark]))
    for role, pair in colours.items():
        made.setColor(getattr(QPalette, role), QColor(pair[dark]))
    for role in ("WindowText", "Text", "ButtonText"):
        made.setColor(QPalette.Disabled, getattr(QPalette, role), QColor(("#9a9a9a", "#808080")[dark]))
    return made


def empty(_panel: Any) -> None:
    """The panel as it opens in an empty scene."""


def recognized(panel: Any) -> None:
    """A stack that is stored upside down, with a true header."""
    _add(panel, 2, "true", "SAX stack")
    panel.ui.recognizeButton.click()


def conflict(panel: Any) -> None:
    """A mirrored stack whose header says that it is in standard orientation."""
    _add(panel, 1, "false", "SAX mirrored")
    panel.ui.recognizeButton.click()


def corrected(panel: Any) -> None:
    """The upside-down stack after Correct, with its segmentation."""
    import qt

    node = _add(panel, 2, "true", "SAX stack")
    import slicer

    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "ventricles")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
    panel.ui.segmentationsSelector.setCheckState(segmentation, qt.Qt.Checked)
    panel.ui.recognizeButton.click()
    panel.ui.correctButton.click()


def cancelled(panel: Any) -> None:
    """Cancel pressed while the slices are looked at."""
    import qt

    _add(panel, 2, "true", "SAX stack")
    qt.QTimer.singleShot(0, panel.ui.cancelButton.click)
    panel.ui.recognizeButton.click()


STATES = (empty, recognized, conflict, corrected, cancelled)


def _add(panel: Any, orientation: int, header: str, name: str) -> Any:
    from CMROrientLib.mrml.nodes import right_handed
    from CMROrientLib.mrml.samples import add_stack
    from CMROrientLib.phantom.phantom import make_phantom

    node = add_stack(right_handed(make_phantom(orientation=orientation, header=header)).volume, name)
    panel.initializeParameterNode()
    panel._parameterNode.inputVolume = node
    return node


def lay_out(panel: Any, window: Any) -> None:
    """Show the whole panel, as tall as its content, without a scroll bar."""
    import slicer

    window.resize(WIDTH, 800)
    window.show()
    for _ in range(3):
        slicer.app.processEvents()
        panel.panel.update()
        window.resize(WIDTH, max(window.layout().totalHeightForWidth(WIDTH), 200))
    slicer.app.processEvents()


def picture(panel: Any, window: Any, path: Path) -> None:
    """The whole panel."""
    lay_out(panel, window)
    save(window.grab(), path)


def save(pixmap: Any, path: Path) -> None:
    """Write a picture; one that is too large for the repository is an error."""
    if not pixmap.save(str(path)):
        raise OSError(f"cannot write {path}")
    if path.stat().st_size > LARGEST:
        raise OSError(f"{path} has {path.stat().st_size} bytes, more than {LARGEST}")


def main(folder: Path, states: Sequence[Callable[[Any], None]] = STATES) -> list[Path]:
    """Write the pictures of some states; returns their paths."""
    host.start()
    from PySide6.QtWidgets import QApplication

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for dark in (False, True):
        QApplication.setPalette(palette(dark))
        for state in states:
            host.clear_scene()
            panel, window = host.open_panel()
            state(panel)
            path = folder / f"{state.__name__}-{'dark' if dark else 'light'}.png"
            picture(panel, window, path)
            written.append(path)
            host.close_panel(panel, window)
    return written


def steps(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Write the pictures of the tutorial's steps, all or some; returns their paths."""
    host.start()
    import tutorial
    from PySide6.QtWidgets import QApplication

    folder.mkdir(parents=True, exist_ok=True)
    QApplication.setPalette(palette(dark=False))
    written = []
    for step in tutorial.STEPS:
        if names and step.__name__ not in names:
            continue
        host.clear_scene()
        panel, window = host.open_panel()
        path = folder / f"{step.__name__}.png"
        save(step(panel, window), path)
        written.append(path)
        host.close_panel(panel, window)
    return written


if __name__ == "__main__":
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else host.REPOSITORY / "Documentation" / "screenshots"
    for made in main(kept) + steps(kept / "tutorial"):
        print(made)
