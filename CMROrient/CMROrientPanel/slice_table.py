"""The table with a row for each slice that the network saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import qt
from slicer.i18n import tr as _

from CMROrientLib.orientation import Orientation
from CMROrientLib.progress import Progress
from CMROrientLib.recognition.result import Recognition
from CMROrientLib.volume import Volume

from .pictures import slice_pixmap

COLUMNS = (_("Slice"), _("Stored"), _("Probability"), _("Agreement"))
THUMBNAIL = 44

# Readable on light and on dark, as in the chart of votes.
_DISSENT = "#d9902f"


def set_up(table: qt.QTableWidget) -> None:
    """Columns and manners of the empty table."""
    table.setColumnCount(len(COLUMNS))
    table.setHorizontalHeaderLabels(list(COLUMNS))
    table.setIconSize(qt.QSize(THUMBNAIL, THUMBNAIL))
    table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
    table.verticalHeader().hide()
    header = table.horizontalHeader()
    header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    header.setSectionResizeMode(1, qt.QHeaderView.Stretch)
    header.setHighlightSections(False)


def thumbnails(volume: Volume, recognition: Recognition, ratio: float, progress: Progress) -> list[qt.QIcon]:
    """A picture of each slice that the network saw.

    Parameters
    ----------
    volume:
        As stored.
    ratio:
        Pixels in a point of the screen.
    progress:
        Called for each slice, so that the window answers meanwhile; what it raises ends the work.
    """
    icons, seen = [], recognition.slice_indices.tolist()
    for phase, index in seen:
        progress(len(icons), len(seen))
        icons.append(qt.QIcon(slice_pixmap(volume, phase, index, THUMBNAIL, ratio)))
    return icons


def fill(
    table: qt.QTableWidget, volume: Volume | None, recognition: Recognition | None, icons: Sequence[qt.QIcon] = ()
) -> None:
    """Show what was found in each slice; nothing where there is no result.

    Parameters
    ----------
    volume:
        As stored.
    icons:
        A picture for each row.
    """
    table.clearContents()
    rows = 0 if recognition is None else len(recognition.slice_indices)
    table.setRowCount(rows)
    if volume is None or recognition is None:
        return
    is_cine = volume.array.ndim == 4
    for row, (phase, index) in enumerate(recognition.slice_indices.tolist()):
        probabilities = recognition.slice_probabilities[row]
        winner = Orientation(int(np.argmax(probabilities)))
        name = str(index + 1)
        if is_cine:
            name = _("{slice}, phase {phase}").format(slice=index + 1, phase=phase + 1)
        cells = (name, winner.label, f"{probabilities[winner]:.3f}", f"{recognition.agreement[row]:.0%}")
        for column, text in enumerate(cells):
            item = qt.QTableWidgetItem(text)
            if column >= 2:
                item.setTextAlignment(int(qt.Qt.AlignRight | qt.Qt.AlignVCenter))
            if winner != recognition.orientation:
                item.setForeground(qt.QBrush(qt.QColor(_DISSENT)))
                item.setToolTip(_("This slice votes differently from the decision over all slices."))
            table.setItem(row, column, item)
        table.item(row, 0).setIcon(icons[row])
        table.setRowHeight(row, THUMBNAIL + 6)
    table.selectRow(rows // 2)
