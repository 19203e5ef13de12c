"""The pictures of the results: curves under stress and the reliability diagram. Plots only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from CMROrientLib.io.atomic import replacing

from ..left_out import Bin
from ..stress import StressRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colours that stay apart for the colour-blind (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")


def draw_stress(stress: Mapping[str, Mapping[str, Sequence[StressRow]]], path: Path) -> None:
    """Accuracy on middle slices, averaged over the turned copies, against each kind of stress.

    Parameters
    ----------
    stress:
        Left-out source → curve → rows.
    path:
        The PNG file to write.
    """
    curves = list(next(iter(stress.values())))
    figure = _figure(11, 6.4)
    axes = figure.subplots(2, (len(curves) + 1) // 2, sharey=True).ravel()
    for panel, curve in zip(axes, curves, strict=False):
        for index, (source, found) in enumerate(stress.items()):
            rows = sorted(found[curve], key=lambda row: row.level)
            values = [row.averaged.value for row in rows]
            below = [row.averaged.value - row.averaged.low for row in rows]
            above = [row.averaged.high - row.averaged.value for row in rows]
            # Side by side, so that the bars of several sources can be told apart.
            step = 0.012 * (max(row.level for row in rows) - min(row.level for row in rows))
            levels = [row.level + (index - (len(stress) - 1) / 2) * step for row in rows]
            panel.errorbar(
                levels,
                values,
                yerr=[below, above],
                color=COLOURS[index % len(COLOURS)],
                marker=MARKERS[index % len(MARKERS)],
                markersize=4,
                linewidth=1.4,
                elinewidth=0.8,
                capsize=2,
                label=source,
            )
        panel.axhline(0.97, color="0.5", linewidth=0.8, linestyle="--")
        panel.set_xlabel(curve)
        panel.grid(alpha=0.25)
        if curve.startswith(("crop", "resolution")):
            panel.invert_xaxis()
        if curve.startswith("inverted"):
            panel.set_xticks([0, 1], ["as it is", "inverted"])
    for panel in axes[len(curves) :]:
        panel.set_visible(False)
    for panel in axes[:: len(axes) // 2]:
        panel.set_ylabel("middle slices right")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    _save(figure, path)


def draw_reliability(rows: Mapping[str, Sequence[Bin]], path: Path) -> None:
    """Accuracy against confidence in bins of equally many answers, on a scale that spreads the sure ones.

    Parameters
    ----------
    rows:
        Name → bins.
    path:
        The PNG file to write.
    """
    figure = _figure(5.6, 5.2)
    axes = figure.subplots()
    lowest = min(value for bins in rows.values() for one in bins for value in (one.confidence, one.accuracy))
    start = max(0.0, min(0.9, lowest - 0.03))
    axes.plot([start, 1], [start, 1], color="0.5", linewidth=0.8, linestyle="--", label="calibrated")
    for index, (name, bins) in enumerate(rows.items()):
        axes.plot(
            [one.confidence for one in bins],
            [one.accuracy for one in bins],
            color=COLOURS[index],
            marker=MARKERS[index],
            markersize=5,
            linewidth=1.2,
            label=name,
        )
    axes.set_xlabel("mean confidence")
    axes.set_ylabel("share right")
    axes.set_xlim(start, 1.005)
    axes.set_ylim(start, 1.005)
    axes.set_aspect("equal")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    with replacing([path]) as (stream,):
        # No version and date inside: the same figures give the same file.
        figure.savefig(stream, format="png", metadata={"Software": None})
