"""The synthetic heart in Slicer's module Sample Data: made on the spot, recognized as it is stored."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import parts
import pytest
from slicer_host import application, host, places, scene, slicer, voxels  # noqa: F401

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml.samples import SAMPLES
from CMROrientLib.phantom.phantom import make_phantom

pytestmark = pytest.mark.usefixtures("scene")

NAMES = ["CMROrient phantom (stack)", "CMROrient phantom (cine)", "CMROrient phantom (mirrored)"]


def sources() -> list[Any]:
    import SampleData

    return SampleData.SampleDataLogic.sampleDataSourcesByCategory("CMROrient")


@pytest.fixture
def started() -> None:
    """Slicer has started with the module in it."""
    module = host.load_module()
    module.CMROrient(SimpleNamespace(path=str(host.MODULE)))
    for receiver in slicer.app.started:
        receiver()


@pytest.fixture
def offered(started: None) -> dict[str, Any]:
    return {source.sampleName: source for source in sources()}


def press(source: Any) -> Any:
    (node,) = source.customDownloader(source)
    return node


def test_the_samples_are_offered_once_slicer_has_started(offered: dict[str, Any]) -> None:
    from CMROrientPanel import samples

    samples.register()
    assert [source.sampleName for source in sources()] == NAMES == [sample.name for sample in SAMPLES]


def test_each_has_a_picture_of_its_own(offered: dict[str, Any]) -> None:
    pictures = [Path(source.thumbnailFileName) for source in offered.values()]
    assert len({path.read_bytes() for path in pictures}) == len(SAMPLES)
    assert all(path.parent == host.MODULE.parent / "Resources" / "Icons" for path in pictures)


@pytest.mark.parametrize("name", NAMES)
def test_pressing_a_button_makes_the_sample_and_shows_it(
    offered: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def no_network(*_: Any) -> None:
        raise AssertionError("sample data asks for the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    node = press(offered[name])
    assert node.GetName() == name and slicer.mrmlScene.IsNodePresent(node) and node.GetDisplayNode() is not None
    shown = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode").GetBackgroundVolumeID()
    assert shown == node.GetID()
    again = press(offered[name])
    assert again.GetName() != name


def test_the_network_recognizes_each_as_it_is_stored(offered: dict[str, Any]) -> None:
    logic = host.load_module().CMROrientLogic()
    found = {name: logic.recognize(press(offered[name])) for name in NAMES}
    assert [int(found[name].orientation) for name in NAMES] == [2, 5, 1]
    assert [found[name].mirrored for name in NAMES] == [False, False, True]
    assert not found[NAMES[0]].conflict and not found[NAMES[1]].conflict


def test_the_cine_is_a_sequence_that_plays(offered: dict[str, Any]) -> None:
    proxy = press(offered[NAMES[1]])
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(proxy)
    sequence = browser.GetSequenceNode(proxy)
    assert sequence.GetNumberOfDataNodes() == 12 == browser.GetNumberOfItems()
    first = voxels(proxy)
    browser.SetSelectedItemNumber(6)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    assert not np.array_equal(voxels(proxy), first)
    assert sequence.GetIndexUnit() == "ms" and sequence.GetNthIndexValue(3) == "200"


def test_a_sample_is_the_phantom_voxel_for_voxel(offered: dict[str, Any]) -> None:
    made = voxels(press(offered[NAMES[0]]))
    expected = make_phantom(size=(160, 192), slices=8, orientation=2).array
    assert np.array_equal(made, expected) or np.array_equal(made[::-1], expected)


def test_without_scipy_it_says_what_to_install(offered: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "CMROrientLib.phantom.phantom", None)
    with pytest.raises(CMROrientError, match=r"slicer\.util\.pip_install\('scipy"):
        press(offered[NAMES[0]])


def test_the_cursor_says_wait_meanwhile(offered: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from CMROrientPanel import samples
    from PySide6.QtWidgets import QApplication

    seen: list[str] = []

    def fail(_sample: Any) -> None:
        seen.append(QApplication.overrideCursor().shape().name)
        raise MemoryError("no room")

    monkeypatch.setattr(samples, "add_sample", fail)
    with pytest.raises(MemoryError):
        press(offered[NAMES[0]])
    assert seen == ["WaitCursor"] and QApplication.overrideCursor() is None


def test_the_pictures_are_those_that_the_script_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.syspath_prepend(str(parts.REPOSITORY / "Documentation"))
    import draw_thumbnails

    for path in draw_thumbnails.main(tmp_path):
        drawn, kept = (np.asarray(Image.open(place), float) for place in (path, draw_thumbnails.FOLDER / path.name))
        assert drawn.shape == kept.shape == (280, 260)
        # Machines differ in the last digit of a noise.
        assert np.abs(drawn - kept).mean() < 1, path.name
    sys.modules.pop("draw_thumbnails")


def test_pictures_are_drawn_with_the_others() -> None:
    makefile = (parts.REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert "Documentation/draw_thumbnails.py" in makefile


def test_the_self_test_goes_through_the_sample_data() -> None:
    module = ast.parse(host.MODULE.read_text(encoding="utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}
    assert "check_sample_data" in called
