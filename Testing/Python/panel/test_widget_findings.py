# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""What the panel tells beside the verdict: the order of slices, a near border, what the image belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from panel_driver import SLICES, heart, names, opened, panel, phantom_node, press, select
from slicer_host import application, host, in_study, loaded_one_by_one, scene, slicer

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


def found(panel: Any, **fields: Any) -> None:
    """Have the panel show a result of a model that can tell more."""
    examined = panel.panel._examined
    panel.panel._examined = replace(examined, recognition=replace(examined.recognition, **fields))
    panel.panel.update()


UNKNOWN = {"slice_order": "unknown", "angle": None, "margin": None, "header_slice_order": None}


def test_nothing_is_shown_where_nothing_is_known(panel: Any) -> None:
    assert panel.ui.factsLabel.isHidden()
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    found(panel, **UNKNOWN)
    assert panel.ui.factsLabel.text == "" and panel.ui.factsLabel.isHidden()


def test_the_order_of_slices_and_what_the_header_says_of_it(panel: Any) -> None:
    node = phantom_node(2)
    select(panel, node)
    press(panel.ui.recognizeButton)
    found(panel, **{**UNKNOWN, "slice_order": "base_first", "slice_order_confidence": 0.98})
    assert not panel.ui.factsLabel.isHidden()
    assert panel.ui.factsLabel.text == "Slices as stored: from base to apex."
    found(panel, header_slice_order="base_first")
    assert panel.ui.factsLabel.text == "Slices as stored: from base to apex."
    found(panel, header_slice_order="apex_first", angle=-42.0, margin=3.0)
    assert panel.ui.factsLabel.text == "Slices as stored: from base to apex. The header says from apex to base."
    press(panel.ui.correctButton)
    made = slicer.util.getNode("SAX standard")
    assert made.GetAttribute("CMROrient.SliceOrder") == "base_first"
    assert made.GetAttribute("CMROrient.SliceOrderConfidence") == "0.9800"
    assert made.GetAttribute("CMROrient.HeaderSliceOrder") == "apex_first"
    assert (made.GetAttribute("CMROrient.Angle"), made.GetAttribute("CMROrient.Margin")) == ("-42.0", "3.0")
    assert made.GetNodeReference("CMROrient.votes").GetAttribute("CMROrient.SliceOrder") == "base_first"
    # Of another image nothing stays.
    select(panel, phantom_node(0, name="other"))
    assert panel.ui.factsLabel.isHidden()


def test_an_uncertain_image_near_a_border_says_so(panel: Any) -> None:
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    found(panel, **{**UNKNOWN, "decision": "uncertain", "angle": 41.6, "margin": 3.4})
    assert (
        "The heart lies 3° from the border to the next orientation, stored transposed over the other diagonal."
        in panel.ui.verdictLabel.text
    )
    found(panel, angle=-20.0, margin=25.0)
    assert "border" not in panel.ui.verdictLabel.text


def test_series_of_one_stack_are_decided_on_together_and_named(panel: Any) -> None:
    nodes = loaded_one_by_one(heart(2))
    in_study(nodes)
    select(panel, nodes[1])
    press(panel.ui.recognizeButton)
    ui = panel.ui
    assert f"Decided together with {SLICES - 1} other images." in ui.verdictLabel.text
    assert ui.factsLabel.text.startswith("Slices of this stack, as the scene lists them: from ")
    assert "other series of this stack: “SAX 1”, “SAX 3”, “SAX 4” and 1 more." in ui.factsLabel.text
    assert "Apply to all images" in ui.factsLabel.text and not ui.factsLabel.isHidden()
    assert ui.sliceTable.rowCount == 1
    press(ui.correctButton)
    assert {name for name in names() if name.endswith(" standard")} == {"SAX 2 standard"}
    assert slicer.util.getNode("SAX 2 standard").GetAttribute("CMROrient.DecidedTogether") == str(SLICES)
    # Result and original share a study by now; they are not looked at together.
    press(ui.applyAllButton)
    assert {f"SAX {number} standard" for number in range(1, SLICES + 1)} <= names()
    assert f"{SLICES} images corrected" in ui.resultLabel.text


def test_the_lines_fit_into_a_narrow_panel(panel: Any) -> None:
    nodes = loaded_one_by_one(heart(2))
    in_study(nodes)
    select(panel, nodes[0])
    press(panel.ui.recognizeButton)
    found(panel, slice_order="base_first", header_slice_order="apex_first", decision="uncertain", margin=3.0)
    assert panel.ui.factsLabel.wordWrap and panel.ui.factsLabel.minimumSizeHint.width() <= 320
