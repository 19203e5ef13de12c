"""``RESULTS.md`` and its pictures from the stored metrics and the remarks, nothing else.

Each section is there when its metrics are. What people saw on the contact sheet of the remaining
errors, and known failures, stand in the remarks and are taken over as they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io.atomic import write_text

from ..remarks import REMARKS, Remarks, read_remarks
from ..stored import StoredMetrics
from .aims import aims
from .heads import heads_section, kinds_section, slice_order_section
from .looks import arithmetic_section, looks_section
from .paper import PAPER_MODELS, paper_models_section, paper_section
from .pictures import draw_reliability, draw_stress
from .sections import (
    ablation_section,
    calibration_section,
    left_out_section,
    rejection_section,
    stress_section,
    universal_section,
)
from .singles import single_slices_section
from .text import table

#: Where a source tree keeps metrics and results.
TRAINING = Path(__file__).parents[2]

HEAD = """# Results

Written by `make results` from the figures in `Training/metrics`; change those or `Training/study/remarks.toml`, not
this file. No cardiac image is part of it. Intervals are 95 %: a bootstrap over people, or, where nothing was wrong, the
exact binomial interval over people.
"""


def build(metrics: StoredMetrics, remarks: Remarks) -> tuple[str, dict[str, Callable[[Path], None]]]:
    """The text of ``RESULTS.md`` and, by name, the functions that draw its pictures."""
    lines = [HEAD]
    pictures: dict[str, Callable[[Path], None]] = {}
    reached = aims(metrics)
    if reached:
        head = ["aim, averaged over the turned copies", "reached", "met"]
        lines += ["## Aims and what was reached", "", *table(head, reached)]
    if metrics.paper_table is not None:
        lines += paper_section(metrics.paper_table)
    paper = {name: one for name, one in zip(PAPER_MODELS, (metrics.cine, metrics.lge, metrics.t2), strict=True) if one}
    if paper:
        lines += paper_models_section(paper)
    if metrics.left_out is not None:
        lines += left_out_section(metrics.left_out, metrics.left_out_sequences or {})
    if metrics.universal is not None:
        lines += universal_section(metrics.universal)
    stress, calibration = metrics.stress, metrics.calibration
    if stress is not None:
        lines += stress_section(stress)
        pictures["stress.png"] = lambda path: draw_stress(stress, path)
    if calibration is not None:
        lines += calibration_section(calibration)
        bins = {kind: entry.bins for kind, entry in calibration.kinds.items()}
        pictures["reliability.png"] = lambda path: draw_reliability(bins, path)
    if metrics.rejection is not None:
        lines += rejection_section(metrics.rejection)
    if metrics.decisions is not None:
        lines += heads_section(metrics.decisions)
    if metrics.single_slices is not None:
        lines += single_slices_section(metrics.single_slices)
    if metrics.slice_order is not None:
        lines += slice_order_section(metrics.slice_order, metrics.slice_order_together or {}, metrics.angles or {})
    if metrics.kinds is not None:
        lines += kinds_section(metrics.kinds)
    if metrics.looks is not None:
        lines += looks_section(metrics.looks)
    if metrics.arithmetic is not None:
        lines += arithmetic_section(metrics.arithmetic)
    if metrics.ablation is not None:
        lines += ablation_section(metrics.ablation)
    lines.append(remarks.to_markdown())
    return "\n".join(lines).rstrip() + "\n", pictures


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this package."""
    parser = argparse.ArgumentParser(prog="python -m study.results", description=__doc__)
    parser.add_argument("--training", type=Path, default=TRAINING, help="folder with metrics/, for the results")
    parser.add_argument("--remarks", type=Path, default=REMARKS, help="file of the remarks")
    arguments = parser.parse_args(options)
    metrics = StoredMetrics.read(arguments.training / "metrics")
    if metrics == StoredMetrics():
        raise CMROrientError("there are no stored metrics here", arguments.training / "metrics")
    text, pictures = build(metrics, read_remarks(arguments.remarks))
    for name, draw in pictures.items():
        draw(arguments.training / "pictures" / name)
    target = arguments.training / "RESULTS.md"
    write_text(target, text)
    print(target)
    return 0
