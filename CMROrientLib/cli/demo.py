"""``cmrorient demo``: make a small synthetic study, correct it and show the result."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..demo import study
from ..demo.picture import draw_pairs
from ..folders import correct_folder
from ..recognition.wording import confidence_words
from ..run.parts import Finding
from ..run.record import Record
from ..run.tables import HTML_NAME
from .output import stored
from .table import Cell, table

_PLACE = Path("cmrorient-demo")

_HEADINGS: list[Cell] = [
    ("image",),
    ("stored",),
    ("recognized", "seen"),
    ("confidence", "sure"),
    ("slices",),
    ("header",),
    ("and pixels",),
    ("result",),
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument("-o", "--output", type=Path, default=_PLACE, metavar="DIR", help=f"where ({_PLACE})")


def run(arguments: argparse.Namespace) -> int:
    """Write the study, correct it with the bundled model, and show and check the result.

    Returns
    -------
    The exit status: 0 where every volume and mask came out right, 1 otherwise.
    """
    output: Path = arguments.output
    corrected = output / study.CORRECTED
    study.check_free(output)
    print(f"Writing {len(study.CASES)} synthetic volumes with masks to {output / study.STUDY}")
    study.write_study(output / study.STUDY, study.CASES)
    print(f"Correcting them into {corrected}\n")
    records = {
        record.path: record
        for record in correct_folder(
            output / study.STUDY, corrected, masks=[study.MASK], overwrite=True, command="cmrorient demo"
        )
    }
    findings = {case: study.check(case, records.get(case.name), corrected) for case in study.CASES}
    for line in _table(records, findings):
        print(line)
    draw_pairs([study.pair(case, output) for case in study.CASES], output / study.PICTURE)
    wrong = sum(finding != "" for finding in findings.values())
    for case, finding in findings.items():
        if finding:
            print(f"WRONG: {case.name}: {finding}")
    right = f"{len(study.CASES) - wrong} of {len(study.CASES)} volumes are right"
    print(f"\n{right}: pixels, masks and geometry as before the turn.")
    print(f"Picture: {output / study.PICTURE}\nReport:  {corrected / HTML_NAME}")
    return 1 if wrong else 0


def _table(records: dict[str, Record], findings: dict[study.DemoVolume, str]) -> list[str]:
    rows = []
    for case, finding in findings.items():
        record = records.get(case.name)
        found = None if record is None else record.finding
        result: Cell = ("WRONG" if finding else "right",)
        if found is None or found.orientation is None:
            rows.append([(case.name,), stored(case.orientation), ("",), ("",), ("",), (case.header,), ("",), result])
            continue
        sure = "" if found.confidence is None else confidence_words(found.confidence)
        rows.append(
            [
                (case.name,),
                stored(case.orientation),
                (str(int(found.orientation)),),
                (sure, sure.replace("over ", ">")),
                (f"{found.votes[found.orientation]}/{found.slices}",),
                (case.header,),
                _agreement(found),
                result,
            ]
        )
    return table(_HEADINGS, rows)


def _agreement(found: Finding) -> Cell:
    if found.conflict:
        return ("differ by a mirror", "mirror") if found.mirrored else ("differ",)
    return ("agree",) if found.header_state == "known" else ("says nothing", "silent")
