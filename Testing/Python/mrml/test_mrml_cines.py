"""Cines in the scene: sequences, their browsers and proxies, and masks with frames of their own."""

from __future__ import annotations

import numpy as np
import pytest
from corrections import SMALL, correct, node_ids, stored
from slicer_host import add_cine, add_volume, application, scene, slicer, voxels  # noqa: F401

from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.rollback import scene_as_it_was
from CMROrientLib.mrml.sequences import sequences_logic
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume

pytestmark = pytest.mark.usefixtures("scene")


@pytest.mark.parametrize("orientation", list(Orientation))
def test_a_cine_becomes_a_new_sequence_in_the_same_browser(orientation: Orientation) -> None:
    cine = stored(orientation, phases=3)
    original = make_phantom(size=SMALL, slices=4, phases=3)
    proxy, sequence, browser = add_cine(cine)
    before = [voxels(sequence.GetNthDataNode(index)) for index in range(3)]
    browser.SetSelectedItemNumber(2)
    sequences_logic().UpdateProxyNodesFromSequences(browser)
    written = correct(proxy, orientation)
    assert written.sequence is not sequence and browser.GetSequenceNode(written.node) is written.sequence
    assert written.sequence.GetName() == "cine standard" and browser.GetNumberOfSynchronizedSequenceNodes(True) == 2
    assert [written.sequence.GetNthIndexValue(index) for index in range(3)] == ["0", "40", "80"]
    assert (written.sequence.GetIndexName(), written.sequence.GetIndexUnit()) == ("trigger time", "ms")
    back = right_handed(make_phantom(size=SMALL, slices=4, orientation=orientation)).slices_reversed
    order = slice(None, None, -1) if back != written.slices_reversed else slice(None)
    for index in range(3):
        frame = written.sequence.GetNthDataNode(index)
        assert np.array_equal(voxels(frame)[order], original.array[index])
        assert np.array_equal(voxels(sequence.GetNthDataNode(index)), before[index]), "the input was changed"
    # The proxy shows the phase that the browser is at, and follows it.
    assert np.array_equal(voxels(written.node)[order], original.array[2])
    browser.SetSelectedItemNumber(0)
    sequences_logic().UpdateProxyNodesFromSequences(browser)
    assert np.array_equal(voxels(written.node)[order], original.array[0])
    assert written.node.GetName() == "cine standard"


def test_a_proxy_of_a_cine_says_where_it_comes_from_in_every_phase() -> None:
    proxy, sequence, browser = add_cine(stored(3, phases=3))
    written = correct(proxy, 3)
    assert written.sequence.GetAttribute("CMROrient.Orientation") == "3 ROTATE_180"
    for phase in (0, 2, 1):
        browser.SetSelectedItemNumber(phase)
        sequences_logic().UpdateProxyNodesFromSequences(browser)
        assert written.node.GetAttribute("CMROrient.Orientation") == "3 ROTATE_180"
        assert written.node.GetAttribute("CMROrient.Model") == "universal"
        assert written.node.GetNodeReference("CMROrient.source") is sequence


def test_a_mask_with_frames_of_its_own_says_so_in_every_phase() -> None:
    image, mask = make_phantom(size=SMALL, slices=4, phases=2, orientation=3, with_mask=True)
    proxy, _, browser = add_cine(right_handed(image).volume)
    frames = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "labels")
    for phase, array in enumerate(mask.array):
        one = right_handed(Volume(array, mask.grid, mask.slice_axis)).volume
        label = add_volume(one, "label", "vtkMRMLLabelMapVolumeNode")
        frames.SetDataNodeAtValue(label, str(phase * 40))
        slicer.mrmlScene.RemoveNode(label)
    browser.AddSynchronizedSequenceNode(frames)
    sequences_logic().UpdateProxyNodesFromSequences(browser)
    written = correct(proxy, 3, segmentations=[browser.GetProxyNode(frames)])
    (follower,) = written.segmentations
    browser.SetSelectedItemNumber(1)
    sequences_logic().UpdateProxyNodesFromSequences(browser)
    assert follower.GetAttribute("CMROrient.Orientation") == "3 ROTATE_180"


def test_a_cine_without_a_browser_becomes_a_sequence_without_one() -> None:
    _, sequence, _ = add_cine(stored(2, phases=2), with_browser=False)
    written = correct(sequence, 2)
    assert written.node is None and written.sequence.GetNumberOfDataNodes() == 2


def test_a_segmentation_with_frames_follows_frame_by_frame() -> None:
    image, mask = make_phantom(size=SMALL, slices=4, phases=2, orientation=2, header="false", with_mask=True)
    proxy, _, browser = add_cine(image)
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "labels")
    for phase, array in enumerate(mask.array):
        frame = add_volume(Volume(array, mask.grid), "labels", "vtkMRMLLabelMapVolumeNode")
        labels.SetDataNodeAtValue(frame, str(phase * 40))
        slicer.mrmlScene.RemoveNode(frame)
    browser.AddSynchronizedSequenceNode(labels)
    sequences_logic().UpdateProxyNodesFromSequences(browser)
    written = correct(proxy, 2, "keep", segmentations=[browser.GetProxyNode(labels)])
    frames = browser.GetSequenceNode(written.segmentations[0])
    assert frames is not None and frames is not labels
    for phase in range(2):
        assert np.array_equal(voxels(frames.GetNthDataNode(phase)), mask.array[phase][:, ::-1])


def test_a_cancelled_cine_leaves_its_browser() -> None:
    proxy, _, browser = add_cine(stored(3, phases=2))
    ids = node_ids()
    with pytest.raises(KeyboardInterrupt), scene_as_it_was(slicer.mrmlScene):
        correct(proxy, 3)
        assert browser.GetNumberOfSynchronizedSequenceNodes(True) == 2
        raise KeyboardInterrupt
    assert node_ids() == ids and browser.GetNumberOfSynchronizedSequenceNodes(True) == 1


def test_a_cine_beside_a_longer_sequence_shows_the_phase_that_the_browser_is_at() -> None:
    """The browser counts the items of its first sequence, which may be more than the cine has phases."""
    _, longer, browser = add_cine(stored(phases=5), "flow")
    own = stored(phases=2)
    _, sequence, _ = add_cine(own, "cine", with_browser=False)
    browser.AddSynchronizedSequenceNode(sequence)
    browser.SetSelectedItemNumber(4)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    proxy = browser.GetProxyNode(sequence)
    assert np.array_equal(voxels(proxy), own.array[1])

    written = correct(proxy, Orientation.FLIP_VERTICAL)

    assert written.sequence is not None and written.sequence.GetNumberOfDataNodes() == 2
    assert np.array_equal(voxels(written.node), voxels(written.sequence.GetNthDataNode(1)))
    assert longer.GetNumberOfDataNodes() == 5
