"""Writes ``Documentation/reliability.md`` from what pytest reported: ``python Testing/reliability.py REPORT.xml …``.

``make test PYTEST="--junitxml=test.xml"`` and ``make test-long PYTEST="--junitxml=long.xml"`` make the reports. Each
file's figures (tests, and what tests count themselves: kills, cuts, steps) are kept in ``reliability.json`` beside
the page; a report takes the place of what an earlier one said of the same file.
"""

from __future__ import annotations

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "Documentation" / "reliability.md"
KEPT = PAGE.with_suffix(".json")
TESTS = "Testing/Python"

#: What is promised, and the files of tests that hold it.
PROMISES = (
    (
        "A run that is killed at any moment is completed by the same command, to the same files and records as one "
        "that was not disturbed: in one process, with workers, on Dask.",
        ("reliability/test_killed_at_random.py", "run/persons_work/test_killed.py"),
    ),
    ("Workers of a cluster may die; an image that kills them is named.", ("run/workers/test_cluster.py",)),
    (
        "A disk that is full at any byte leaves whole files only; with room the same command completes the run.",
        ("reliability/test_full_disk.py", "io/test_bad_files.py"),
    ),
    (
        "A store that was cut short at any byte is told or gone on with; no image is lost.",
        ("reliability/test_store_cut.py", "run/test_store.py"),
    ),
    (
        "Inputs that vanish, are cut short or replaced while they are read cost their own record at most, and the next "
        "run is right.",
        ("reliability/test_vanishing_inputs.py",),
    ),
    (
        "A clock that goes backwards and files from the future: no record is wrong, no edit is missed.",
        ("reliability/test_clock.py", "run/test_seen.py"),
    ),
    (
        "What a person decided or edited in the output folder survives runs and edits in any order.",
        ("run/persons_work/test_any_sequence.py", "run/persons_work/test_persons_work.py"),
    ),
    (
        "A damaged file is one error, with what to do; it takes neither the run nor the memory.",
        ("io/test_bad_files.py",),
    ),
    (
        "In Slicer something may fail, or be cancelled, at any step of what a button does: scene, cursor and buttons "
        "are as before, or the work is done and whole.",
        ("panel/test_widget_injected.py", "panel/test_widget_cancelled.py", "panel/test_widget_interrupted.py"),
    ),
    (
        "Over many images memory and open files stay flat; order, number of jobs and engine change no result.",
        ("reliability/test_soak.py", "run/test_scale.py", "audit/test_audit_kept.py"),
    ),
    ("Nothing of the person enters records, pages and reports unasked.", ("run/test_identifiers.py",)),
    (
        "Weights come from safetensors and ONNX files with recorded checksums; nothing is read that can hold code.",
        ("reliability/test_weights.py",),
    ),
)

_HEAD = """# What you can rely on

Each promise, the tests that hold it, and what they counted when they ran last. The page is written by \
`python Testing/reliability.py` from the reports of `make test` and `make test-long` (which tries more of each); \
`make fuzz` looks for damage that no test knows yet.

| promise | held by | last run |
|---|---|---|
"""

_TAIL = """
A full disk takes a small tmpfs, which only root may mount; elsewhere these tests are skipped, with `CI` set they \
fail. Random moments are another set each day; a failure prints its seed, and `CMRORIENT_SEED` takes it.

What is not promised: that a result is right. How often it is, and when the network leaves the decision to you, is in \
[Training/RESULTS.md](../Training/RESULTS.md).
"""


def figures_of(report: Path) -> dict[str, dict[str, int]]:
    """Counts by test file, as one report of pytest tells them."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        parts = case.get("classname", "").split(".")
        name = next((n for n in range(len(parts), 0, -1) if parts[n - 1].startswith("test_")), len(parts))
        file = "/".join(parts[:name]).removeprefix(f"{TESTS}/") + ".py"
        wrong = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if wrong else "skipped" if case.find("skipped") is not None else "passed"
        found[file][outcome] += 1
        for told in case.iter("property"):
            value = told.get("value", "")
            if value.isdigit():
                found[file][told.get("name", "")] += int(value)
    return {file: dict(counts) for file, counts in found.items()}


def page(figures: dict[str, dict[str, int]]) -> str:
    """The document."""
    rows = []
    for promise, files in PROMISES:
        held = "<br>".join(f"`{TESTS}/{file}`" for file in files)
        rows.append(f"| {promise} | {held} | {'<br>'.join(_told(figures.get(file)) for file in files)} |\n")
    return _HEAD + "".join(rows) + _TAIL


def _told(counts: dict[str, int] | None) -> str:
    if not counts:
        return "not run"
    order = ["passed", "failed", "skipped"]
    known = sorted(counts, key=lambda name: (order.index(name) if name in order else len(order), name))
    return ", ".join(f"{counts[name]} {name}" for name in known if counts[name])


def main() -> int:
    """Take the reports in and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, nargs="*", metavar="REPORT.xml", help="what pytest --junitxml wrote")
    arguments = parser.parse_args()
    figures = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    named = {file for _promise, files in PROMISES for file in files}
    for report in arguments.reports:
        figures |= {file: counts for file, counts in figures_of(report).items() if file in named}
    KEPT.write_text(json.dumps(dict(sorted(figures.items())), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
