# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""A cine that changes, or loses what belongs to it, while the panel reads it; and what the panel says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_scene import imported, load_cine, opened_database
from panel_driver import at_step, names, opened, panel, phantom_node, select
from phantom_dicom import phantom_files
from slicer_host import add_cine, add_volume, application, host, scene, slicer

from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]

READING = "Reading the image"
SMALL = {"size": (36, 40), "slices": 2, "orientation": 2}
PHASES = 4
#: Times that the sentence is shown before the first frame, within the reading, and within the comparison.
AT_ONCE, WHILE_READ, WHILE_COMPARED = 1, 3, 1 + PHASES + 2


@pytest.fixture
def cine(panel: Any) -> tuple[Any, Any, Any]:
    """(proxy, sequence, browser) of a cine that is chosen, with a person's class: it can be corrected."""
    made = add_cine(right_handed(make_phantom(phases=PHASES, **SMALL)).volume, "cine")
    select(panel, made[1])
    panel.ui.classComboBox.currentIndex = 1 + 2
    assert panel.ui.correctButton.enabled and panel.ui.statusLabel.text == ""
    return made


def ticked(panel: Any, name: str) -> Any:
    """A label map that is ticked to follow."""
    import qt

    volume = right_handed(make_phantom(**SMALL)).volume
    node = add_volume(Volume(np.ones(volume.array.shape, np.int16), volume.grid), name, "vtkMRMLLabelMapVolumeNode")
    panel.ui.segmentationsSelector.setCheckState(node, qt.Qt.Checked)
    return node


@pytest.mark.parametrize("moment", [0, AT_ONCE, WHILE_READ, WHILE_COMPARED])
@pytest.mark.parametrize("more", [False, True], ids=["removed", "added"])
def test_a_cine_with_a_phase_more_or_less_is_not_written(
    panel: Any, cine: tuple[Any, Any, Any], more: bool, moment: int
) -> None:
    sequence, before = cine[1], names()

    def change() -> None:
        if more:
            sequence.SetDataNodeAtValue(sequence.GetNthDataNode(0), "99")
        else:
            sequence.RemoveDataNodeAtValue("40")

    if moment == 0:
        change()
        panel.ui.correctButton.click()
    else:
        with at_step(panel, READING, moment, change):
            panel.ui.correctButton.click()
    assert "cine: the image has changed" in panel.ui.statusLabel.text and "press Recognize" in panel.ui.statusLabel.text
    assert names() == before and panel.ui.resultLabel.text == ""


@pytest.mark.parametrize("moment", [AT_ONCE, WHILE_READ, WHILE_COMPARED])
def test_a_cine_that_is_removed_meanwhile_is_not_written(panel: Any, cine: tuple[Any, Any, Any], moment: int) -> None:
    left: set[str] = set()

    def remove() -> None:
        slicer.mrmlScene.RemoveNode(cine[1])
        left.update(names())

    with at_step(panel, READING, moment, remove):
        panel.ui.correctButton.click()
    assert panel.ui.statusLabel.text == "Nothing was written: “cine” was removed meanwhile."
    assert names() == left


def test_an_output_that_is_removed_while_the_image_is_read_is_not_written_into(
    panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from CMROrientLib.mrml import session

    select(panel, phantom_node(2))
    panel.ui.classComboBox.currentIndex = 1 + 2
    output = phantom_node(0, name="mine")
    panel._parameterNode.outputVolume = output
    checked, left = session.check_unchanged, set[str]()

    def check(*given: Any) -> Any:
        """A volume is read at once; events come through nevertheless with the question before it."""
        found = checked(*given)
        slicer.mrmlScene.RemoveNode(output)
        left.update(names())
        return found

    monkeypatch.setattr(session, "check_unchanged", check)
    panel.ui.correctButton.click()
    assert panel.ui.statusLabel.text == "Nothing was written: “mine” was removed meanwhile."
    assert names() == left


@pytest.mark.parametrize("moment", [AT_ONCE, WHILE_READ, WHILE_COMPARED])
def test_a_ticked_label_map_that_is_removed_meanwhile_does_not_follow(
    panel: Any, cine: tuple[Any, Any, Any], moment: int
) -> None:
    gone, _kept = ticked(panel, "gone"), ticked(panel, "kept")
    with at_step(panel, READING, moment, lambda: slicer.mrmlScene.RemoveNode(gone)):
        panel.ui.correctButton.click()
    assert panel.ui.statusLabel.text == "" and "Followed: “kept standard”." in panel.ui.resultLabel.text
    assert "gone standard" not in names()


def test_without_its_browser_the_result_is_a_sequence_of_its_own(panel: Any, cine: tuple[Any, Any, Any]) -> None:
    with at_step(panel, READING, WHILE_READ, lambda: slicer.mrmlScene.RemoveNode(cine[2])):
        panel.ui.correctButton.click()
    assert "“cine standard”" in panel.ui.resultLabel.text
    made = slicer.mrmlScene.GetNodesByName("cine standard")
    # No proxy is left that no browser plays.
    assert made.GetNumberOfItems() == 1 and made.GetItemAsObject(0).GetNumberOfDataNodes() == PHASES


def test_a_class_that_is_chosen_after_a_cancelled_one_leaves_no_old_sentence(panel: Any) -> None:
    made = add_cine(right_handed(make_phantom(phases=PHASES, **SMALL)).volume, "cine")
    select(panel, made[1])
    with at_step(panel, READING, WHILE_READ - 1, panel.ui.cancelButton.click):
        panel.ui.classComboBox.currentIndex = 1 + 2
    assert "Cancelled" in panel.ui.statusLabel.text and not panel.ui.correctButton.enabled
    panel.ui.classComboBox.currentIndex = 1 + 2
    assert panel.ui.statusLabel.text == "" and panel.ui.statusLabel.isHidden() and panel.ui.correctButton.enabled


def test_a_class_for_an_image_that_is_removed_while_it_is_read_says_so(panel: Any) -> None:
    made = add_cine(right_handed(make_phantom(phases=PHASES, **SMALL)).volume, "cine")
    select(panel, made[1])
    with at_step(panel, READING, WHILE_READ, lambda: slicer.mrmlScene.RemoveNode(made[1])):
        panel.ui.classComboBox.currentIndex = 1 + 2
    assert "“cine” was removed" in panel.ui.statusLabel.text


class TestSaveAsDicom:
    """The files are those of the whole series, whatever happens to the cine meanwhile."""

    FILES = "Reading the DICOM files"

    @pytest.fixture
    def loaded(self, panel: Any, database: Any, tmp_path: Path) -> tuple[Any, Any, Any]:
        sources = phantom_files(tmp_path / "in", orientation=3, slices=1, phases=PHASES)
        imported(database, tmp_path / "in")
        made = load_cine(sources)
        select(panel, made[1])
        panel.ui.classComboBox.currentIndex = 1 + 3
        return made

    # It is shown at once, before each frame is read, and before each is compared with its file.
    @pytest.mark.parametrize("moment", [2, 2 + PHASES, 1 + 3 * PHASES])
    def test_a_cine_that_changes_is_not_saved(
        self, panel: Any, database: Any, loaded: tuple[Any, Any, Any], moment: int
    ) -> None:
        series = len(database._rows("select distinct Series from Images"))
        with at_step(panel, self.FILES, moment, lambda: loaded[1].RemoveDataNodeAtValue("40")):
            panel.ui.saveDicomButton.click()
        assert "the image has changed" in panel.ui.statusLabel.text
        assert len(database._rows("select distinct Series from Images")) == series
