"""What the panel draws of a result, in the width that it has: the chart of votes, and a slice before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from slicer.i18n import tr as _

from CMROrientLib.mrml.session import Examined, planned
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.result import Recognition
from CMROrientLib.recognition.slices import central_slice

from .pictures import slice_pixmap, votes_pixmap
from .widgets import Widgets

if TYPE_CHECKING:
    from CMROrientLib.correction import GeometryMode

# Sides of the pictures of one slice, and widths of the chart (points): least and most.
_PREVIEW = (80, 140)
_CHART = (200, 480)
# A picture's frame on both sides together.
_FRAME = 8


@dataclass(frozen=True, eq=False)
class Shown:
    """What there is to draw.

    Parameters
    ----------
    examined, decided:
        The image with what was found in it, and what would be acted on; None where nothing was examined.
    geometry:
        What would happen to the header's directions.
    """

    examined: Examined | None
    decided: Recognition | None
    geometry: GeometryMode


class Views:
    """Draws into the labels of the panel, and again when its width or the chosen row changes.

    Parameters
    ----------
    shown:
        Says what there is to draw; None while the panel shows no scene.
    """

    def __init__(self, ui: Widgets, shown: Callable[[], Shown | None]) -> None:
        self.ui = ui
        self._shown = shown
        self._width = 0
        for picture in (ui.beforePicture, ui.afterPicture):
            picture.setMinimumSize(_PREVIEW[0] + _FRAME, _PREVIEW[1] + _FRAME)
            picture.setStyleSheet("QLabel { background: #000000; color: #8a8f94; border-radius: 4px; }")
        ui.sliceTable.connect("itemSelectionChanged()", self.draw_preview)
        # What tells of the dock's width: a column of the table stretches with it, or the table can be scrolled.
        ui.sliceTable.horizontalHeader().connect("sectionResized(int,int,int)", self.fit)
        ui.sliceTable.horizontalScrollBar().connect("rangeChanged(int,int)", self.fit)

    @property
    def ratio(self) -> float:
        """Pixels in a point of the screen."""
        try:
            return self.ui.sliceTable.devicePixelRatioF()
        except AttributeError:  # bindings of an older Qt know whole numbers only
            return self.ui.sliceTable.devicePixelRatio()

    def fit(self, *_what: int) -> None:
        """Draw anew where the panel has got another width."""
        if self.ui.sliceTable.width != self._width:
            self.draw()

    def draw(self) -> None:
        """Draw everything."""
        self._width = self.ui.sliceTable.width
        self._draw_chart()
        self.draw_preview()

    def _draw_chart(self) -> None:
        shown = self._shown()
        if shown is None:
            return
        votes, winner = np.zeros(len(Orientation), int), None
        if shown.examined is not None:
            votes = shown.examined.recognition.votes
        if shown.decided is not None and shown.decided.acted_on:
            winner = shown.decided.orientation
        label, width = self.ui.votesLabel, _within(self._width, _CHART)
        label.setPixmap(votes_pixmap(votes, winner, label.palette, label.font, width, self.ratio))

    def draw_preview(self) -> None:
        """The chosen row's slice, as stored and as it would come out."""
        shown = self._shown()
        if shown is None:
            return
        for picture in (self.ui.beforePicture, self.ui.afterPicture):
            picture.text = _("No preview yet")
        if shown.examined is None:
            return
        volume, indices = shown.examined.volume, shown.examined.recognition.slice_indices
        row, count = max(self.ui.sliceTable.currentRow(), 0), volume.array.shape[-3]
        phase, index = (int(n) for n in indices[row]) if row < len(indices) else (0, central_slice(count))
        side = _within((self._width - _FRAME) / 2 - _FRAME, _PREVIEW)
        self.ui.beforePicture.setPixmap(slice_pixmap(volume, phase, index, side, self.ratio))
        if shown.decided is not None:
            after = planned(shown.examined, shown.decided, shown.geometry).apply(volume)
            self.ui.afterPicture.setPixmap(slice_pixmap(after, phase, index, side, self.ratio))


def _within(value: float, limits: tuple[int, int]) -> int:
    return int(min(max(value, limits[0]), limits[1]))
