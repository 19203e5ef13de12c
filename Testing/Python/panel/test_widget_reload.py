"""Reload with developer mode on: the panel comes back from its files as they are, and nothing of the old one stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import parts

# Reloading takes the library's classes from under the other tests, so it happens in a process of its own.
RELOAD = """
import sys
sys.path.insert(0, {host!r})
import host
slicer = host.start()
import qt
qt.QSettings().setValue("Developer/DeveloperMode", True)
old, window = host.open_panel()
from CMROrientPanel.self_test import phantom_node
from CMROrientLib.orientation import Orientation
from CMROrientPanel.panel import Panel
node = phantom_node(Orientation.FLIP_VERTICAL, size=(130, 160), slices=4)
old.enter()
old.ui.recognizeButton.click()
assert old.ui.sliceTable.rowCount == 4
for turn in range(3):
    before, path = slicer.modules.CMROrientWidget, list(sys.path)
    before.reloadButton.click()
    now = slicer.modules.CMROrientWidget
    assert now is not before and type(now) is not type(before), "the old class is still there"
    print("path grew by", len(sys.path) - len(path))
from CMROrientPanel.panel import Panel as again
assert again is not Panel and type(now.panel) is again
assert not old.hasObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, old.onSceneEndClose)
assert now.ui.inputSelector.currentNode() is node and now.ui.recognizeButton.enabled
assert now.ui.sliceTable.rowCount == 0, "a result of the old classes"
now.ui.recognizeButton.click()
now.ui.correctButton.click()
print("status", now.ui.statusLabel.text, "result", now.ui.resultLabel.text)
host.clear_scene()
assert now.ui.sliceTable.rowCount == 0 and old._parameterNode is None
"""


def test_the_panel_is_reloaded_as_often_as_a_developer_wants(tmp_path: Path) -> None:
    parts.need_module("PySide6.QtWidgets")
    parts.need_module("slicer")
    code = RELOAD.format(host=str(parts.REPOSITORY / "Testing" / "host"))
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "“phantom 2 standard”" in done.stdout
    assert done.stdout.count("path grew by 0") == 3, done.stdout
