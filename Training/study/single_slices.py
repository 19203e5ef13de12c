"""What becomes of single short-axis slices, each an image of its own, by pixels alone and with the plane of a header.

``python -m study.single_slices LEFT_OUT … --metrics FOLDER`` takes what ``study.leave_source_out measure`` wrote of
networks that a source was kept from, reads the headers of that data, and writes ``single_slices``. Where a data set's
headers say nothing, a slice is also shown with the plane of a person whose header is true.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.conflict import header_plane
from CMROrientLib.recognition.decision import DecisionRule, confidence, weigh
from CMROrientLib.recognition.header_plane import HeaderPlane
from CMROrientLib.recognition.typed_json import read_object, write_object
from CMROrientLib.training.cases import Case
from CMROrientLib.training.evaluation.out_of_distribution import out_of_distribution_of
from CMROrientLib.training.evaluation.predictions import Predictions, slice_log_probabilities
from CMROrientLib.training.evaluation.scoring import counts

from .heads import refitted
from .json_files import write_json
from .left_out import Calibration
from .measured import Measured, load
from .other_pictures.rejection import exact_interval

#: The plane of a header that says nothing.
SILENT = HeaderPlane("none", None, None)


@dataclass(frozen=True)
class SingleSlices:
    """What becomes of slices.

    Parameters
    ----------
    slices:
        How many there are.
    rejected:
        Taken for no short axis.
    uncertain, acted_on, wrong:
        The rest, and how many of those acted on are taken for another class.
    interval:
        Of the share rejected (exact, 95 %).
    """

    slices: int
    rejected: int
    uncertain: int
    acted_on: int
    wrong: int
    interval: tuple[float, ...]

    @classmethod
    def of(cls, slices: int, rejected: int, acted_on: int, wrong: int) -> SingleSlices:
        """From numbers."""
        interval = exact_interval(rejected, slices)
        return cls(slices, rejected, slices - rejected - acted_on, acted_on, wrong, interval)

    @classmethod
    def together(cls, rows: Iterable[SingleSlices]) -> SingleSlices:
        """The sum of several."""
        sums = np.sum([(row.slices, row.rejected, row.acted_on, row.wrong) for row in rows], axis=0)
        return cls.of(*map(int, sums))


@dataclass(frozen=True)
class SingleSliceMetrics:
    """``single_slices.json``: by source, and ``all``; each for ``all slices`` and for middle ones.

    Parameters
    ----------
    pixels:
        Without a header.
    headers:
        With the headers that the files have, of sources whose headers are true.
    planes:
        With the plane of the file's header, or of a person whose header is true where it says nothing.
    """

    pixels: Mapping[str, Mapping[str, SingleSlices]]
    headers: Mapping[str, Mapping[str, SingleSlices]]
    planes: Mapping[str, Mapping[str, SingleSlices]]


def decide_alone(predictions: Predictions, planes: Sequence[HeaderPlane], rule: DecisionRule) -> NDArray[np.str_]:
    """(S,) ``rejected``, ``uncertain``, ``right`` or ``wrong``, as ``Recognizer.decide`` decides on one slice.

    Parameters
    ----------
    planes:
        Of each case.
    """
    other = out_of_distribution_of(predictions.logits[:, None], rule)
    found = []
    for copies, seen, case in zip(
        slice_log_probabilities(predictions.logits, rule.temperature), other, predictions.case, strict=True
    ):
        evidence, plane = weigh(copies[None]), planes[case]
        sure, p = confidence(evidence, rule), evidence.orientation
        doubted = plane.contradicts(float(seen), rule.max_not_short_axis)
        forbidden = plane.forbids(float(seen), rule.max_not_short_axis, sure, 1, p) or seen > rule.most_alone
        if seen > rule.max_not_short_axis and not doubted:
            found.append("rejected")
        elif sure < rule.min_confidence or forbidden or doubted:
            found.append("uncertain")
        else:
            found.append("right" if p is Orientation.IDENTITY else "wrong")
    return np.array(found, str)


def single_slices(measured: Sequence[Measured], rules: Mapping[str, DecisionRule]) -> SingleSliceMetrics:
    """Count, by rules that were fitted on the other sources."""
    shown = {one.name: one.alone.of(counts) for one in measured}
    planes = {name: [plane_of(case) for case in alone.cases] for name, alone in shown.items()}
    silent = {name: [SILENT] * len(found) for name, found in planes.items()}
    known = {name: found for name, found in planes.items() if all(plane.state == "known" for plane in found)}
    true = [plane for found in known.values() for plane in found]
    borrowed = {name: filled(found, true) for name, found in planes.items()}

    def counted(planes_of: Mapping[str, Sequence[HeaderPlane]]) -> dict[str, dict[str, SingleSlices]]:
        if not planes_of:
            return {}
        rows = {name: _counted(shown[name], found, rules[name]) for name, found in planes_of.items()}
        every = {part: SingleSlices.together([row[part] for row in rows.values()]) for part in PARTS}
        return {**rows, "all": every}

    return SingleSliceMetrics(counted(silent), counted(known), counted(borrowed))


#: Which slices are counted.
PARTS = ("all slices", "middle 70 % of slices")


def _counted(alone: Predictions, planes: Sequence[HeaderPlane], rule: DecisionRule) -> dict[str, SingleSlices]:
    decided = decide_alone(alone, planes, rule)
    return {
        part: SingleSlices.of(
            len(found),
            int((found == "rejected").sum()),
            int(np.isin(found, ("right", "wrong")).sum()),
            int((found == "wrong").sum()),
        )
        for part, found in zip(PARTS, (decided, decided[alone.middle]), strict=True)
    }


def plane_of(case: Case) -> HeaderPlane:
    """What the header of a case says about its plane."""
    return header_plane(read(case.path))


def filled(planes: Sequence[HeaderPlane], true: Sequence[HeaderPlane]) -> list[HeaderPlane]:
    """The planes; in place of those that say nothing the true ones, one after the other."""
    others = cycle(true)
    return [next(others) if plane.state == "none" and true else plane for plane in planes]


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.single_slices", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="what was measured of networks without a source")
    parser.add_argument("--metrics", type=Path, required=True, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    measured = [load(folder) for folder in arguments.folders]
    calibration = arguments.metrics / "calibration.json"
    stored = read_object(Calibration, json.loads(calibration.read_text(encoding="utf-8")), calibration.name)
    rules = {
        one.name: refitted([other for other in measured if other is not one], stored.rules[one.name])
        for one in measured
    }
    found = single_slices(measured, rules)
    write_json(arguments.metrics / "single_slices.json", write_object(found))
    for how, rows in (("pixels", found.pixels), ("headers", found.headers), ("planes", found.planes)):
        for name, parts in rows.items():
            for part, row in parts.items():
                print(f"{how}, {name}, {part}: {row}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
