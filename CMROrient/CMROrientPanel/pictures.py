"""Pictures of the panel: slices as thumbnails, what each class looks like, and the chart of votes.

Everything is drawn with QPainter into pixmaps at the screen's resolution; colours of text and lines
come from the widget's palette, so that light and dark themes both read well.
"""

from __future__ import annotations

import numpy as np
import qt
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from CMROrientLib.orientation import Orientation
from CMROrientLib.volume import Volume

# Mid-tones that stand out on light and on dark.
_LEFT_VENTRICLE = "#d0504a"
_RIGHT_VENTRICLE = "#3f87c9"
_LIVER = "#a9835a"
_WINNER = "#2f9e63"
_OTHER = "#d9902f"

# Of the chart of votes, in points: the least height of a row, the room between its parts, and the least
# length of its longest bar, for which names give way.
_ROW = 22
_GAP = 6
_BAR = 30
_LEFT = int(qt.Qt.AlignLeft | qt.Qt.AlignVCenter)

# The most of a row that names in words take.
_NAMES = 0.6


def grey_levels(pixels: np.ndarray) -> np.ndarray:
    """(rows, columns) of any type to uint8, between the darkest and the brightest per cent."""
    values = np.nan_to_num(np.asarray(pixels, np.float64))
    low, high = np.percentile(values, (1, 99))
    if high <= low:
        low, high = values.min(), values.max()
    scale = 255.0 / (high - low) if high > low else 0.0
    return np.clip((values - low) * scale, 0, 255).astype(np.uint8)


def shrunk(pixels: np.ndarray, step: int) -> np.ndarray:
    """The means of blocks of ``step`` × ``step`` pixels; what is left at the far edges goes."""
    if step == 1:
        return pixels
    rows, columns = (length // step for length in pixels.shape)
    blocks = pixels[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return blocks.mean(axis=(1, 3), dtype=np.float64)


def slice_pixmap(volume: Volume, phase: int, index: int, side: int, ratio: float) -> qt.QPixmap:
    """One slice in true proportions inside a square.

    Parameters
    ----------
    side:
        Longest side in points of the screen.
    ratio:
        Pixels in a point (2 on high-resolution screens).
    """
    stack = volume.array if volume.array.ndim == 4 else volume.array[np.newaxis]
    across, down = volume.grid.spacing[:2]
    stored = stack[phase, index]
    width, height = stored.shape[1] * across, stored.shape[0] * down
    # No finer than twice what is shown: of large slices, making the picture took longer than the network.
    step = max(1, int(min(stored.shape) / (2 * side * ratio)))
    pixels = grey_levels(shrunk(stored, step))
    scale = side * ratio / max(width, height)
    pixmap = qt.QPixmap()
    pixmap.loadFromData(_png(pixels), "PNG")
    pixmap = pixmap.scaled(
        max(1, round(width * scale)),
        max(1, round(height * scale)),
        qt.Qt.IgnoreAspectRatio,
        qt.Qt.SmoothTransformation,
    )
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def class_pixmap(orientation: Orientation, side: int, ratio: float = 1.0) -> qt.QPixmap:
    """What a class looks like: both ventricles and the liver of a standard slice, turned."""
    pixmap = _canvas(side, side, ratio)
    painter = qt.QPainter()
    painter.begin(pixmap)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    centre = side / 2
    (row_row, row_column), (column_row, column_column) = orientation.matrix.tolist()
    turn = qt.QTransform(column_column, row_column, column_row, row_row, 0, 0)
    painter.translate(centre, centre)
    painter.setTransform(turn, True)
    painter.translate(-centre, -centre)
    painter.scale(side, side)
    _draw_heart(painter)
    painter.end()
    return pixmap


def votes_pixmap(
    votes: np.ndarray, winner: Orientation | None, palette: qt.QPalette, font: qt.QFont, width: int, ratio: float
) -> qt.QPixmap:
    """A row for each class: its picture, its name, and a bar with its number of votes.

    The rows grow with the font. In a narrow chart the classes go by the short names that tables and the
    command line use, too.

    Parameters
    ----------
    votes:
        (8,) number of slices that voted for each class; all zero for an empty chart.
    winner:
        The class that was decided on; its bar stands out.
    font:
        Of the names and numbers.
    width:
        In points.
    """
    text, faint = palette.color(qt.QPalette.Text), palette.color(qt.QPalette.Mid)
    metrics = qt.QFontMetrics(font)
    icon = max(_ROW, metrics.height() + 4) - 4
    most = max(int(votes.max()), 1)
    # Left edge of the names, of the bars, and the longest bar, behind which its number stands.
    at_name = icon + 2 + _GAP
    room = width - at_name - metrics.horizontalAdvance(str(most)) - 3 * _GAP
    shown = names_of_classes(metrics, room)
    names = min(max(metrics.horizontalAdvance(name) for name in shown.values()), room - _BAR)
    row = icon + 4
    at_bar, longest = at_name + names + _GAP, room - names
    pixmap = _canvas(width, row * len(Orientation), ratio)
    painter = qt.QPainter()
    painter.begin(pixmap)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    painter.setFont(font)
    for k in Orientation:
        top, count = k * row, int(votes[k])
        at_icon = top + (row - icon) / 2
        painter.drawPixmap(qt.QPointF(1, at_icon), class_pixmap(k, icon, ratio))
        if k == winner:
            painter.setBrush(qt.QBrush())
            painter.setPen(_pen(qt.QColor(_WINNER), 2))
            painter.drawRoundedRect(qt.QRectF(1, at_icon - 1, icon + 1, icon + 2), 4, 4)
        painter.setPen(qt.QPen(text))
        name = metrics.elidedText(shown[k], qt.Qt.ElideRight, names + _GAP // 2)
        painter.drawText(qt.QRectF(at_name, top, names + _GAP, row), _LEFT, name)
        if count:
            length = max(longest * count / most, 2)
            painter.drawText(qt.QRectF(at_bar + length + _GAP, top, width, row), _LEFT, str(count))
            painter.setPen(_no_pen())
            painter.setBrush(qt.QBrush(qt.QColor(_WINNER if k == winner else _OTHER)))
            painter.drawRoundedRect(qt.QRectF(at_bar, top + row / 2 - icon * 0.34, length, icon * 0.68), 2, 2)
    painter.setPen(_pen(faint, 1))
    painter.drawLine(qt.QPointF(at_bar - 0.5, 0), qt.QPointF(at_bar - 0.5, row * len(Orientation)))
    painter.end()
    return pixmap


def names_of_classes(metrics: qt.QFontMetrics, room: int) -> dict[Orientation, str]:
    """The classes in words where a row of ``room`` points has place for them, else by their short names."""
    words = {k: k.label for k in Orientation}
    fits = max(metrics.horizontalAdvance(name) for name in words.values()) <= _NAMES * room
    return words if fits else {k: k.short_name for k in Orientation}


def _draw_heart(painter: qt.QPainter) -> None:
    """A standard short-axis slice in the unit square: right ventricle left, liver below."""
    frame = qt.QPainterPath()
    frame.addRoundedRect(qt.QRectF(0.01, 0.01, 0.98, 0.98), 0.12, 0.12)
    painter.setPen(_no_pen())
    painter.fillPath(frame, qt.QBrush(qt.QColor("#23272b")))
    outer, cavity = qt.QPainterPath(), qt.QPainterPath()
    outer.addEllipse(qt.QPointF(0.61, 0.38), 0.25, 0.25)
    cavity.addEllipse(qt.QPointF(0.61, 0.38), 0.13, 0.13)
    right = qt.QPainterPath()
    right.addEllipse(qt.QPointF(0.35, 0.47), 0.27, 0.24)
    liver = qt.QPainterPath()
    liver.moveTo(0.05, 0.95)
    liver.lineTo(0.05, 0.78)
    liver.quadTo(0.30, 0.68, 0.72, 0.95)
    liver.closeSubpath()
    painter.fillPath(liver, qt.QBrush(qt.QColor(_LIVER)))
    painter.fillPath(right.subtracted(outer), qt.QBrush(qt.QColor(_RIGHT_VENTRICLE)))
    painter.fillPath(outer.subtracted(cavity), qt.QBrush(qt.QColor(_LEFT_VENTRICLE)))


def _pen(colour: qt.QColor, width: float) -> qt.QPen:
    pen = qt.QPen(colour)
    pen.setWidthF(width)
    return pen


def _no_pen() -> qt.QPen:
    pen = qt.QPen()
    pen.setStyle(qt.Qt.NoPen)
    return pen


def _canvas(width: int, height: int, ratio: float) -> qt.QPixmap:
    pixmap = qt.QPixmap(round(width * ratio), round(height * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(qt.QColor(0, 0, 0, 0))
    return pixmap


def _png(pixels: np.ndarray) -> bytes:
    """A grey PNG in memory; VTK counts rows from below."""
    image = vtk.vtkImageData()
    image.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    scalars = numpy_to_vtk(np.ascontiguousarray(pixels[::-1]).ravel(), deep=True)
    image.GetPointData().SetScalars(scalars)
    writer = vtk.vtkPNGWriter()
    writer.SetWriteToMemory(True)
    writer.SetCompressionLevel(1)
    writer.SetInputData(image)
    writer.Write()
    return vtk_to_numpy(writer.GetResult()).tobytes()
