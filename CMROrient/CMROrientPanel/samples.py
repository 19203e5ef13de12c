"""The synthetic heart in Slicer's module Sample Data: made on the spot, nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import qt
import slicer
from slicer.i18n import tr as _

from CMROrientLib.mrml import display
from CMROrientLib.mrml.samples import SAMPLES, add_sample

if TYPE_CHECKING:
    from CMROrientLib.mrml.node_types import VolumeNode

CATEGORY = "CMROrient"

_PICTURES = Path(__file__).resolve().parents[1] / "Resources" / "Icons"


class Source(Protocol):
    """What the module Sample Data hands over when its button is pressed."""

    sampleName: str


def register() -> None:
    """Offer the samples in the module Sample Data; more than once does no harm."""
    import SampleData

    logic = SampleData.SampleDataLogic
    offered = {source.sampleName for source in logic.sampleDataSourcesByCategory(CATEGORY)}
    for sample in SAMPLES:
        if sample.name not in offered:
            logic.registerCustomSampleDataSource(
                category=CATEGORY,
                sampleName=sample.name,
                # Asked for, and never fetched.
                uris=f"cmrorient:phantom/{sample.key}",
                fileNames=f"{sample.key}.nrrd",
                nodeNames=sample.name,
                thumbnailFileName=str(_PICTURES / f"phantom-{sample.key}.png"),
                customDownloader=load,
            )


def load(source: Source) -> list[VolumeNode]:
    """Make a sample and show it; the nodes, as other sources of sample data give them."""
    sample = next(sample for sample in SAMPLES if sample.name == source.sampleName)
    slicer.app.setOverrideCursor(qt.Qt.WaitCursor)
    try:
        slicer.util.showStatusMessage(_("Making “{name}”…").format(name=sample.name))
        node = add_sample(sample)
        display.show(node)
    finally:
        slicer.app.restoreOverrideCursor()
        slicer.util.showStatusMessage("")
    return [node]
