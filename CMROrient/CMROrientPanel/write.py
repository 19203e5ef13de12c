"""Correct: the question before a mirrored image, the new nodes, and what the panel says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from CMROrientLib.mrml import display, session
from CMROrientLib.mrml.rollback import scene_as_it_was, volume_as_it_was

from . import texts
from .task import Task, wait_cursor
from .widgets import Widgets

if TYPE_CHECKING:
    from CMROrientLib.correction import GeometryMode
    from CMROrientLib.mrml.node_types import VolumeNode
    from CMROrientLib.recognition.result import Recognition


def write_corrected(
    ui: Widgets,
    task: Task,
    examined: session.Examined,
    result: Recognition,
    geometry: GeometryMode,
    output: VolumeNode | None,
) -> str:
    """Write the corrected image and what is ticked to follow it, and show it.

    Parameters
    ----------
    task:
        The panel's: events come through while the image is read anew, none while the scene is changed.
    result:
        What is acted on.
    output:
        The volume to write into; None for a new one. A cine always gets a new sequence.

    Returns
    -------
    A sentence where nothing was written, or where the views do not show it; else "".
    """
    correction = session.planned(examined, result, geometry)
    asked = session.writes_a_mirror(result, correction)
    question = texts.mirror_question(result, examined.image.name)
    if asked and not slicer.util.confirmYesNoDisplay(question, "CMROrient"):
        return _("Nothing was written: the mirrored image was declined.")
    into = None if examined.image.is_cine else output
    following = ui.segmentationsSelector.checkedNodes()
    with task(_("Reading the image")) as reading:
        examined = session.check_unchanged(examined, result, reading.progress)
    scene = slicer.mrmlScene
    # Events came through.
    for node in (examined.image.main, into):
        if node is not None and not scene.IsNodePresent(node):
            return _("Nothing was written: “{name}” was removed meanwhile.").format(name=node.GetName())
    following = [node for node in following if scene.IsNodePresent(node)]
    # Until it is told it is not done.
    # Also where the cursor cannot be given back: so it comes last.
    with scene_as_it_was(examined.image.scene), volume_as_it_was(into), wait_cursor():
        made = session.write_correction(examined, result, geometry, output=into, segmentations=following)
        followers = [node.GetName() for node in made.segmentations]
        ui.resultLabel.text = texts.written(made.main.GetName(), made.slices_reversed, followers)
    if made.node is not None:
        try:
            display.show(made.node)
        except Exception as error:  # whatever keeps it from the views, it is written
            return _("It was written, but the slice views do not show it: {error}").format(error=error)
    return ""
