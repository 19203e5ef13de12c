# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Something fails at any step of what a button does: the scene is as before, or the work is done and whole.

Every call of the module's functions, and every call of VTK and MRML that writes, is such a step; `make test` tries a
spread of them, `make test-long` each. Work counts as done once it is told; from then on its result stays.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_scene import imported, load_stack, opened_database
from injected import Injected, Step, Watched, failing_at, steps_of
from panel_driver import heart, opened, panel, select
from phantom_dicom import phantom_files
from scene_snapshot import counts, differences, panel_state, snapshot
from slicer_host import add_cine, add_volume, application, host, scene, slicer

from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.rollback import scene_as_it_was, volume_as_it_was
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume

pytestmark = [
    pytest.mark.usefixtures("scene"),
    pytest.mark.qt_no_exception_capture,
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
    # A step within Qt's or VTK's own call of us: they print it and go on.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: How many steps of each case are tried.
TRIED = None if os.environ.get("CMRORIENT_LONG") else 10

#: What undoes a failure, and what only words and pictures are made of.
_NO_STEPS = ("rollback.py", "texts.py", "pictures.py", "package_line.py", "requirements.py", "widgets.py")
MODULE = Watched(("CMROrientLib/mrml", "CMROrient/CMROrientPanel"), _NO_STEPS)
AND_FILES = Watched((*MODULE.folders, "CMROrientLib/io/dicom/write.py", "CMROrientLib/io/atomic.py"), _NO_STEPS)
LOOKING = Watched((*MODULE.folders, "CMROrientLib/recognition/recognizer.py"), _NO_STEPS)

#: What is locked is unlocked there, and the cursor given back.
ENDS = ("before task.__exit__ #1", "before task.end #1", "before task.wait_cursor #2")

#: From its end on the work is done.
DONE = {
    "write_corrected": "before display.show #1",
    "correct_all": "after all_images.correct_all #1",
    "save_series": "before task.__exit__ #2",
}


#: How many steps have been tried, case by case.
STEPS: list[int] = []


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """What `Testing/reliability.py` tells: at how many steps something failed."""
    STEPS.clear()
    yield
    record_property("steps", sum(STEPS))


class _Back(Exception):
    """Ends a trial: what it wrote goes."""


def pressed(press: Callable[[], None]) -> None:
    """Press it; the box that tells an error is answered."""
    from mrml_widgets import ANSWERS
    from PySide6.QtWidgets import QMessageBox

    ANSWERS.prepared[:] = [QMessageBox.StandardButton.Ok]
    try:
        press()
    except Injected:
        pass
    finally:
        ANSWERS.prepared.clear()


def spread(steps: list[Step]) -> list[Step]:
    """As many steps as are tried, evenly from first to last, and the ends of what locks the panel."""
    if TRIED is None or len(steps) <= TRIED:
        return steps
    chosen = {int(index) for index in np.linspace(0, len(steps) - 1, TRIED)}
    chosen |= {index for index, step in enumerate(steps) if str(step) in ENDS}
    return [steps[index] for index in sorted(chosen)]


def every_step_fails(
    panel: Any,
    press: Callable[[], None],
    watched: Watched,
    done: str | None = None,
    output: Any = None,
    files: Callable[[], object] = lambda: None,
    undo: Callable[[], None] = lambda: None,
) -> None:
    """A failure at each step of what a button does leaves everything as before, or the work whole.

    Parameters
    ----------
    done:
        The step from which on the work is done; None where it writes nothing.
    output:
        The volume that is written into; None for a new one.
    files, undo:
        What lies on disk, and what takes away what was written there.
    """

    def trial(run: Callable[[], object]) -> tuple[dict[str, Any], Any, Any]:
        """(scene, nodes by class, files) after a run, which is then taken back."""
        seen: list[Any] = []
        try:
            with scene_as_it_was(slicer.mrmlScene), volume_as_it_was(output):
                run()
                seen += [snapshot(panel), counts(), files()]
                raise _Back
        except _Back:
            undo()
            panel.panel.update()
        return seen[0], seen[1], seen[2]

    # Slicer has one from its start; here the first to ask makes it.
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    steps: list[Step] = []
    # What Qt lays out the first time only would never come again.
    whole, whole_counts, whole_files = trial(press)
    trial(lambda: steps.extend(steps_of(press, watched)))
    before, before_files = snapshot(panel), files()
    before_panel, whole_panel = before.pop("panel"), whole.pop("panel")
    ends = len(steps) if done is None else [str(step) for step in steps].index(done)
    wrong: list[str] = []
    for step in spread(steps):
        reached: list[Step] = []

        def run(step: Step = step, reached: list[Step] = reached) -> None:
            with failing_at(step, watched) as failed:
                pressed(press)
            reached.extend(failed)

        now, now_counts, now_files = trial(run)
        if not reached:
            wrong.append(f"{step}: never came")
        state = now.pop("panel")
        left = differences(before, now)
        if steps.index(step) < ends and (left or now_files != before_files):
            wrong.append(f"{step}: {left or now_files}")
        elif left and now_counts != whole_counts:
            wrong.append(f"{step}: neither as before nor done: {differences(whole_counts, now_counts)}")
        elif now_files not in (before_files, whole_files):
            wrong.append(f"{step}: files {now_files}")
        if state not in (before_panel, whole_panel):
            wrong.append(f"{step}: {differences(before_panel, state)}")
    STEPS.append(len(spread(steps)))
    assert not wrong, "\n".join(wrong)


def small(orientation: int, name: str = "SAX", **how: Any) -> Any:
    """A stack that is quick to correct; what the network says of it does not matter."""
    made = right_handed(make_phantom(size=(40, 50), slices=3, orientation=orientation, **how)).volume
    return add_volume(made, name)


def followed(panel: Any, node: Any, volume: Volume) -> None:
    """A segmentation and a label map that are ticked to follow an image."""
    import qt

    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "ventricles")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
    segment = segmentation.GetSegmentation().AddEmptySegment("LV")
    mask = (volume.array > np.median(volume.array)).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, segment, node)
    labels = add_volume(Volume(mask, volume.grid), "labels", "vtkMRMLLabelMapVolumeNode")
    for one in (segmentation, labels):
        panel.ui.segmentationsSelector.setCheckState(one, qt.Qt.Checked)


@pytest.mark.parametrize("chosen", [False, True], ids=["new volume", "chosen volume"])
@pytest.mark.parametrize("following", [False, True], ids=["alone", "followed"])
def test_correct_on_a_volume(panel: Any, chosen: bool, following: bool) -> None:
    node = add_volume(heart(2, slices=3), "SAX")
    output = small(0, "mine") if chosen else None
    for given, noted in ((node.SetVoxelValueQuantity, "MR signal intensity"), (node.SetVoxelValueUnits, "no units")):
        entry = slicer.vtkCodedEntry()
        entry.SetValueSchemeMeaning("1", "DCM", noted)
        given(entry)
    select(panel, node)
    panel._parameterNode.outputVolume = output
    panel.panel.recognize()  # so that there are votes to write
    if following:
        followed(panel, node, heart(2, slices=3))
    every_step_fails(panel, panel.panel.correct, MODULE, DONE["write_corrected"], output)


def test_correct_on_a_cine_with_a_label_map_of_frames(panel: Any) -> None:
    import qt

    volume = right_handed(make_phantom(size=(40, 50), slices=3, phases=2, orientation=3)).volume
    proxy, _sequence, browser = add_cine(volume)
    labels = add_volume(
        Volume(np.ones(volume.array.shape[1:], np.uint8), volume.grid), "labels", "vtkMRMLLabelMapVolumeNode"
    )
    frames = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "labels")
    for phase in ("0", "40"):
        frames.SetDataNodeAtValue(labels, phase)
    browser.AddProxyNode(labels, frames, False)
    select(panel, proxy)
    panel.ui.classComboBox.currentIndex = 1 + 3
    panel.ui.segmentationsSelector.setCheckState(labels, qt.Qt.Checked)
    every_step_fails(panel, panel.panel.correct, MODULE, DONE["write_corrected"])


def test_recognize(panel: Any) -> None:
    select(panel, small(2))
    every_step_fails(panel, panel.panel.recognize, LOOKING)


def test_apply_to_all(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    node = add_volume(heart(2, slices=3), "one")
    add_volume(heart(3, slices=3), "two")
    add_cine(heart(3, phases=2, slices=3))
    select(panel, node)
    followed(panel, node, heart(2, slices=3))
    # What is found is found once: here it is the writing that fails.
    found = panel.logic.examineAll()
    monkeypatch.setattr(panel.logic, "examineAll", lambda *_: found)
    every_step_fails(panel, panel.panel.apply_all, MODULE, DONE["correct_all"])


def test_looking_at_all(panel: Any) -> None:
    small(0, "one")
    small(0, "two")
    panel.enter()
    every_step_fails(panel, panel.panel.apply_all, LOOKING)


def test_save_as_dicom(panel: Any, database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in", slices=3)
    imported(database, tmp_path / "in")
    select(panel, load_stack(sources))
    panel.ui.classComboBox.currentIndex = 1 + 2

    def files() -> tuple[list[Any], list[str], list[str]]:
        """What the database lists, what it holds, and what is under way."""
        rows = list(database._rows("select Path from Images"))
        held = [str(path) for path in sorted((tmp_path / "database").rglob("*")) if path.is_file()]
        return rows, held, sorted(path.name for path in Path(tempfile.gettempdir()).glob("cmrorient-*"))

    originals = {path: path.read_bytes() for path in sources}

    def undo() -> None:
        for series in {str(series) for (series,) in database._rows("select distinct Series from Images")}:
            if series != str(own):
                database.removeSeries(series)

    own = next(itertools.chain.from_iterable(database._rows("select distinct Series from Images")))
    every_step_fails(panel, panel.panel._save_dicom.save, AND_FILES, DONE["save_series"], files=files, undo=undo)
    assert {path: path.read_bytes() for path in sources} == originals
