"""A contact sheet of the slices that a network got wrong, to look at and to learn what they share.

``python -m study.contact_sheet PREDICTIONS.npz -o FOLDER`` reads what ``leave_source_out measure``
or ``cmrorient evaluate --predictions`` kept. The pictures show patients: the folder is for one's own
eyes and stays out of version control.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from CMROrientLib.io.atomic import replacing
from CMROrientLib.orientation import Orientation
from CMROrientLib.training.evaluation.predictions import Predictions, slice_log_probabilities
from CMROrientLib.training.evaluation.scoring import counts
from CMROrientLib.training.slices import read_slices

#: Pictures on one sheet.
COLUMNS, ROWS = 10, 6


def draw(predictions: Predictions, folder: Path, middle_only: bool = False) -> list[Path]:
    """Draw all slices whose averaged answer is wrong, the surest first; the files written.

    Parameters
    ----------
    predictions:
        Of volumes in the standard orientation. Border cases are left out.
    folder:
        Where the sheets (PNG) go.
    middle_only:
        Only slices of the middle 70 % of their stacks.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    hard = predictions.of(counts)
    mean = slice_log_probabilities(hard.logits).mean(1)
    answer = mean.argmax(-1)
    wrong = np.flatnonzero((answer != Orientation.IDENTITY) & (hard.middle if middle_only else True))
    wrong = wrong[np.argsort(mean[wrong, 0])]
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for start in range(0, len(wrong), COLUMNS * ROWS):
        figure = Figure(figsize=(1.7 * COLUMNS, 2.1 * ROWS), dpi=80, layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(ROWS, COLUMNS).ravel()
        for panel in panels:
            panel.axis("off")
        for panel, row in zip(panels, wrong[start : start + COLUMNS * ROWS], strict=False):
            case = hard.cases[hard.case[row]]
            image = read_slices(case)[0][hard.slice_[row]]
            panel.imshow(image, cmap="gray", vmin=np.percentile(image, 1), vmax=np.percentile(image, 99))
            panel.set_title(
                f"{case.path.name.split('.')[0]}\n{hard.slice_[row] + 1}/{hard.slices[hard.case[row]]}"
                f" said {answer[row]}, p0 {np.exp(mean[row, 0]):.2f}",
                fontsize=7,
            )
        path = folder / f"errors-{len(written) + 1}.png"
        with replacing([path]) as (stream,):
            figure.savefig(stream, format="png")
        written.append(path)
    return written


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.contact_sheet", description=__doc__)
    parser.add_argument("predictions", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder that is not under version control")
    parser.add_argument("--middle", action="store_true", help="only slices from the middle 70 %% of their stacks")
    arguments = parser.parse_args(options)
    written = draw(Predictions.load(arguments.predictions), arguments.output, arguments.middle)
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
