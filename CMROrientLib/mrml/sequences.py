"""Slicer's sequences: the browsers that play them, and the proxies that people see."""

from __future__ import annotations

from .node_types import BrowserNode, Node, SequenceNode, SequencesLogic, VolumeNode, is_sequence


def sequences_logic() -> SequencesLogic:
    """Slicer's logic of sequences and their browsers."""
    import slicer

    logic: SequencesLogic = slicer.modules.sequences.logic()
    return logic


def frames_of(sequence: SequenceNode) -> list[VolumeNode]:
    """The nodes that a sequence holds, in its order."""
    return [sequence.GetNthDataNode(index) for index in range(sequence.GetNumberOfDataNodes())]


def index_values_of(sequence: SequenceNode) -> list[str]:
    """What a sequence counts its frames by, a value a frame: their times, as a rule."""
    return [sequence.GetNthIndexValue(index) for index in range(sequence.GetNumberOfDataNodes())]


def shown_phase(browser: BrowserNode, sequence: SequenceNode) -> int:
    """The frame of a sequence that a browser is at, which counts the items of its first sequence."""
    first, item = browser.GetMasterSequenceNode(), browser.GetSelectedItemNumber()
    if first is None or item < 0:
        return 0
    # As Slicer shows it: that of the same time, or the one before.
    return max(0, sequence.GetItemNumberFromIndexValue(first.GetNthIndexValue(item), False))


def plays(browser: BrowserNode | None, sequence: SequenceNode | None, proxy: Node | None) -> bool:
    """Whether a browser of the scene shows a sequence in ``proxy``."""
    if browser is None or sequence is None or proxy is None:
        return False
    return bool(browser.GetScene()) and browser.GetSequenceNode(proxy) is sequence


def copy_index(sequence: SequenceNode, like: SequenceNode) -> None:
    """Let a new sequence count its frames as another one does."""
    sequence.SetIndexName(like.GetIndexName())
    sequence.SetIndexUnit(like.GetIndexUnit())
    sequence.SetIndexType(like.GetIndexType())


def into_browser(browser: BrowserNode, sequence: SequenceNode, proxy: Node) -> None:
    """Let a browser play a sequence, with its frames shown in ``proxy``."""
    browser.AddProxyNode(proxy, sequence, False)
    sequences_logic().UpdateProxyNodesFromSequences(browser)


def out_of_browsers(node: Node) -> None:
    """A browser would go on listing a sequence that has left the scene."""
    if not is_sequence(node):
        return
    browser = sequences_logic().GetFirstBrowserNodeForSequenceNode(node)
    while browser is not None:
        browser.RemoveSynchronizedSequenceNode(node.GetID())
        browser = sequences_logic().GetFirstBrowserNodeForSequenceNode(node)
