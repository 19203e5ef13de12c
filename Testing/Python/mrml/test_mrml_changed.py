# ruff: noqa: F401 (pytest takes fixtures by their names)
"""What changes in the scene between the look at an image and the writing: nothing wrong is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from slicer_host import add_cine, add_volume, application, host, scene, slicer, voxels

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml import session
from CMROrientLib.mrml.all_images import correct_all
from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume

pytestmark = pytest.mark.usefixtures("scene")

PHASES = 4


def cine(name: str = "cine") -> tuple[Any, Any, Any]:
    """(proxy, sequence, browser) of four phases at 0, 40, 80 and 120 ms that cannot be taken for each other."""
    volume = right_handed(make_phantom(size=(36, 40), slices=2, phases=PHASES, orientation=2)).volume
    array = volume.array + 1000 * np.arange(PHASES, dtype=volume.array.dtype)[:, None, None, None]
    return add_cine(Volume(array, volume.grid, volume.slice_axis), name)


def labels() -> Any:
    volume = right_handed(make_phantom(size=(36, 40), slices=2, orientation=2)).volume
    ones = Volume(np.ones(volume.array.shape, np.int16), volume.grid, volume.slice_axis)
    return add_volume(ones, "labels", "vtkMRMLLabelMapVolumeNode")


def node_ids() -> set[str]:
    nodes = [slicer.mrmlScene.GetNthNode(index) for index in range(slicer.mrmlScene.GetNumberOfNodes())]
    return {node.GetID() for node in nodes}


class At:
    """A progress function that lets something happen when it is called for the ``number``-th time."""

    def __init__(self, number: int, action: Callable[[], object]) -> None:
        self.calls = 0
        self._number = number
        self._action = action

    def __call__(self, _done: int, _total: int) -> None:
        self.calls += 1
        if self.calls == self._number:
            self._action()


#: What somebody else may do to a sequence.
CHANGES: dict[str, Callable[[Any], object]] = {
    "a phase is removed": lambda sequence: sequence.RemoveDataNodeAtValue("40"),
    "a phase is added": lambda sequence: sequence.SetDataNodeAtValue(sequence.GetNthDataNode(0), "99"),
    "a phase is added at the end": lambda sequence: sequence.SetDataNodeAtValue(sequence.GetNthDataNode(0), "160"),
    "a phase is replaced": lambda sequence: sequence.SetDataNodeAtValue(sequence.GetNthDataNode(0), "40"),
    "a time is another": lambda sequence: sequence.UpdateIndexValue("0", "20"),
    "every phase is removed": lambda sequence: sequence.RemoveAllDataNodes(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("moment", [0, 1, 3, PHASES + 1, 2 * PHASES])
def test_a_cine_whose_phases_are_others_is_not_written(change: Callable[[Any], object], moment: int) -> None:
    _proxy, sequence, _browser = cine()
    examined = session.decide(sequence, 2)
    before = node_ids()
    at = At(moment, lambda: change(sequence))
    if moment == 0:
        change(sequence)
    with pytest.raises(CMROrientError, match=r"has changed|holds no frames"):
        session.correct(examined, examined.recognition, progress=at)
    # What is told before anything is read is told at once.
    assert (at.calls >= moment if moment else at.calls == 0) and node_ids() == before


def test_a_cine_that_stays_is_written_with_its_times_and_progress_is_told() -> None:
    _proxy, sequence, browser = cine()
    examined = session.decide(sequence, 2)
    at = At(0, lambda: None)
    made = session.correct(examined, examined.recognition, progress=at)
    assert at.calls == 2 * PHASES and browser.IsSynchronizedSequenceNode(made.sequence)
    for phase in range(PHASES):
        assert made.sequence.GetNthIndexValue(phase) == sequence.GetNthIndexValue(phase)
        assert 1000 * phase <= voxels(made.sequence.GetNthDataNode(phase)).min() < 1000 * (phase + 1)


def test_an_image_that_is_removed_while_it_is_read_is_not_written() -> None:
    proxy, sequence, _browser = cine()
    examined = session.decide(proxy, 2)
    left: set[str] = set()

    def remove() -> None:
        slicer.mrmlScene.RemoveNode(sequence)
        left.update(node_ids())

    with pytest.raises(CMROrientError, match="cine: it was removed"):
        session.correct(examined, examined.recognition, progress=At(2, remove))
    assert node_ids() == left


def test_an_output_that_is_removed_before_it_is_written_into_is_told() -> None:
    volume = right_handed(make_phantom(size=(36, 40), slices=2, orientation=2)).volume
    examined = session.decide(add_volume(volume, "SAX"), 2)
    output = add_volume(volume, "mine")
    slicer.mrmlScene.RemoveNode(output)
    before = node_ids()
    with pytest.raises(CMROrientError, match="mine: it was removed"):
        session.correct(examined, examined.recognition, output=output)
    assert node_ids() == before


def test_a_mask_that_is_removed_while_its_image_is_read_follows_no_more() -> None:
    _proxy, sequence, _browser = cine()
    gone, kept = labels(), labels()
    examined = session.decide(sequence, 2)
    remove = At(2, lambda: slicer.mrmlScene.RemoveNode(gone))
    made = session.correct(examined, examined.recognition, segmentations=[gone, kept], progress=remove)
    assert [node.GetNodeReference("CMROrient.source") for node in made.segmentations] == [kept]


@pytest.mark.parametrize("moment", [0, 2])
def test_without_its_browser_a_cine_becomes_a_sequence_without_one(moment: int) -> None:
    proxy, sequence, browser = cine()
    examined = session.decide(proxy, 2)

    def remove() -> None:
        slicer.mrmlScene.RemoveNode(browser)

    if moment == 0:
        remove()
    made = session.correct(examined, examined.recognition, progress=At(moment, remove))
    assert made.node is None and made.main.GetNumberOfDataNodes() == PHASES
    assert made.main is not sequence and slicer.mrmlScene.IsNodePresent(made.main)


def test_another_browser_gets_the_result() -> None:
    _proxy, sequence, browser = cine()
    examined = session.decide(sequence, 2)
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "other")

    def move() -> None:
        slicer.mrmlScene.RemoveNode(browser)
        other.AddSynchronizedSequenceNode(sequence)
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(other)

    made = session.correct(examined, examined.recognition, progress=At(2, move))
    assert other.IsSynchronizedSequenceNode(made.sequence) and other.GetProxyNode(made.sequence) is made.node


def test_of_two_browsers_the_one_that_it_was_found_in_gets_the_result() -> None:
    _proxy, sequence, _browser = cine()
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "other")
    other.AddSynchronizedSequenceNode(sequence)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(other)
    examined = session.decide(other.GetProxyNode(sequence), 2)
    assert examined.image.browser is other
    made = session.correct(examined, examined.recognition)
    assert other.IsSynchronizedSequenceNode(made.sequence)


class TestAllImages:
    """Two cines, and what happens while the second is read."""

    @pytest.fixture
    def found(self) -> list[session.Examined]:
        return [session.decide(cine(name)[1], 2) for name in ("one", "two")]

    def test_progress_is_told_for_each_frame_with_the_same_count(self, found: list[session.Examined]) -> None:
        told: list[tuple[int, int]] = []
        made, left = correct_all(slicer.mrmlScene, found, progress=lambda *given: told.append(given), masks=[])
        assert len(made) == 2 and not left
        assert told == sorted(told) and {total for _done, total in told} == {2}
        assert told.count((0, 2)) == told.count((1, 2)) > 2 * PHASES

    @pytest.mark.parametrize("moment", [2, 2 * PHASES + 1])
    def test_an_image_that_is_removed_meanwhile_is_named(self, found: list[session.Examined], moment: int) -> None:
        at = At(2 * PHASES + 1 + moment, lambda: slicer.mrmlScene.RemoveNode(found[1].image.main))
        made, left = correct_all(slicer.mrmlScene, found, progress=at, masks=[])
        assert [one.main.GetName() for one in made] == ["one standard"]
        assert len(left) == 1 and left[0][0] == "two" and "removed" in left[0][1]

    def test_a_browser_that_is_removed_meanwhile_gets_no_result(self, found: list[session.Examined]) -> None:
        at = At(2 * PHASES + 1 + 2, lambda: slicer.mrmlScene.RemoveNode(found[1].image.browser))
        made, left = correct_all(slicer.mrmlScene, found, progress=at, masks=[])
        assert [one.node is None for one in made] == [False, True] and not left

    def test_a_mask_that_is_removed_meanwhile_follows_no_more(self, found: list[session.Examined]) -> None:
        gone, kept = labels(), labels()
        at = At(2 * PHASES + 1 + 2, lambda: slicer.mrmlScene.RemoveNode(gone))
        ticked = (found[1].image.main, [gone, kept])
        made, left = correct_all(slicer.mrmlScene, found, progress=at, masks=[], ticked=ticked)
        assert [len(one.segmentations) for one in made] == [0, 1] and not left
        assert made[1].segmentations[0].GetNodeReference("CMROrient.source") is kept

    @pytest.mark.parametrize("moment", [2, 2 * PHASES + 1])
    def test_a_cine_whose_phases_are_others_takes_everything_back(
        self, found: list[session.Examined], moment: int
    ) -> None:
        before = node_ids()
        at = At(2 * PHASES + 1 + moment, lambda: CHANGES["a phase is removed"](found[1].image.main))
        with pytest.raises(CMROrientError, match="two: the image has changed"):
            correct_all(slicer.mrmlScene, found, progress=at, masks=[])
        assert node_ids() == before


def test_the_console_hears_how_far_correct_is() -> None:
    _proxy, sequence, _browser = cine()
    logic = host.load_module().CMROrientLogic()
    removed = At(PHASES + 2, lambda: CHANGES["a phase is removed"](sequence))
    with pytest.raises(CMROrientError, match="has changed"):
        logic.correct(sequence, orientation=2, progress=removed)
    assert removed.calls > PHASES + 2
