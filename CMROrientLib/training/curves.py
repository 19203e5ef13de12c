"""Pictures of a run."""

from __future__ import annotations

import json
from pathlib import Path

from ..io.atomic import replacing


def draw_curves(log: Path, picture: Path) -> None:
    """Loss and held-out errors over the epochs, from ``metrics.jsonl`` to a PNG file."""
    from matplotlib.figure import Figure

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    if not lines:
        return
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([line["epoch"] for line in lines], [line["loss"] for line in lines], color="#1f6f8b")
    left.set(xlabel="epoch", ylabel="training loss", yscale="log")
    looked = [line for line in lines if line.get("validation", {}).get("slices")]
    for key, label, color in (("single", "one pass", "#c2571a"), ("averaged", "averaged over the turns", "#1f6f8b")):
        errors = [max(1 - line["validation"][key], 1e-4) for line in looked]
        right.plot([line["epoch"] for line in looked], errors, marker="o", ms=3, color=color, label=label)
    right.set(xlabel="epoch", ylabel="share of held-out slices wrong", yscale="log")
    if looked:
        right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    with replacing([picture]) as (stream,):
        figure.savefig(stream, format="png", dpi=110)
