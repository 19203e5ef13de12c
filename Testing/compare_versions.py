"""Hold two installed versions against each other: the same commands, the same files and records.

    python Testing/compare_versions.py OLD NEW [--data ../shared/data] [--output FOLDER] [--volumes 40]

OLD and NEW are the Python of an environment that CMROrient is installed in, or its command
``cmrorient``. Both get one folder: real volumes of every source, scrambled into the eight
orientations and the formats, masks beside them, a few headers turned along, the DICOM series of the
data, images that are no short axis, and one that is broken. What has to be the same:

- every file but records and pages, byte for byte;
- records (JSON lines, CSV) field by field, but for times and the version;
- the words and pictures of pages, but for times and the version;
- standard output, standard error and the exit status.

Fields of a record that only the new version has, and its store, are told and are no difference.
Exits with 0 where nothing differs, 1 otherwise.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent / "Python" / "support"), str(Path(__file__).parents[1])]

from differences import Differences, compare_folders, compare_rows, parse_lines  # noqa: E402
from roundtrip import Case, read_cases, scramble  # noqa: E402

from CMROrientLib.io import read, suffix_of, without_suffix, write  # noqa: E402
from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.volume import Volume  # noqa: E402

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")

#: Lines of differences shown of one step.
SHOWN = 12

COMMANDS = ("recognize", "correct", "audit", "restore", "demo", "train", "transfer", "evaluate", "export", "benchmark")

_MASKS = ("--masks", "_seg")
_FAST = ("--no-averaging", "--jobs", "2")


@dataclass(frozen=True)
class Step:
    """One call of the command line.

    Parameters
    ----------
    name:
        What the table calls it.
    words:
        The arguments; paths relative to the version's own folder.
    output:
        The file or folder that it writes, None for none.
    json:
        Whether standard output is JSON lines, whose order is that of the workers.
    """

    name: str
    words: tuple[str, ...]
    output: str | None = None
    json: bool = False


STEPS = (
    *(Step(f"{command} --help", (command, "--help")) for command in COMMANDS),
    Step("recognize", ("recognize", "../in", *_MASKS, "--jobs", "2", "--json"), json=True),
    Step("correct", ("correct", "../in", "-o", "auto", *_MASKS, "--jobs", "2"), "auto"),
    Step("correct, again", ("correct", "../in", "-o", "auto", *_MASKS, "--jobs", "2"), "auto"),
    Step(
        "correct, going on in the old version's folder",
        ("correct", "../in", "-o", "started", *_MASKS, "--jobs", "2"),
        "started",
    ),
    Step(
        "correct --geometry follow --json",
        ("correct", "../in", "-o", "follow", "--geometry", "follow", *_MASKS, *_FAST, "--json"),
        "follow",
        json=True,
    ),
    Step(
        "correct --geometry keep --target 6",
        ("correct", "../in", "-o", "keep", "--geometry", "keep", "--target", "6", *_MASKS, *_FAST),
        "keep",
    ),
    Step("correct --skip-conflicts", ("correct", "../in", "-o", "skip", "--skip-conflicts", *_MASKS, *_FAST), "skip"),
    Step(
        "correct --orientation 5", ("correct", "../in", "-o", "user", "--orientation", "5", "--masks", "_seg"), "user"
    ),
    Step(
        "correct --decisions",
        ("correct", "../in", "-o", "edited", "--decisions", "../decisions.csv", *_MASKS, *_FAST),
        "edited",
    ),
    Step("correct --dry-run", ("correct", "../in/dicom", "-o", "dry", "--dry-run", "--no-averaging")),
    Step("audit", ("audit", "../in", "-o", "audit/audit.html", *_MASKS, *_FAST), "audit"),
    Step("restore", ("restore", "auto", "../predicted", "-o", "back", "--suffix", "_seg"), "back"),
    Step("restore, files in the way", ("restore", "auto", "../predicted", "-o", "back", "--suffix", "_seg"), "back"),
    Step("demo", ("demo", "-o", "demo"), "demo"),
    Step("no such path", ("correct", "../nowhere", "-o", "nothing")),
    Step("output inside the input", ("correct", "../in", "-o", "../in/out")),
    Step("orientation 8", ("correct", "../in", "-o", "nothing", "--orientation", "8")),
)


@dataclass(frozen=True)
class Done:
    """What a call left."""

    status: int
    out: str
    err: str
    seconds: float


def main() -> int:
    """Run both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="Python (or cmrorient) of the old version")
    parser.add_argument("new", type=Path, help="Python (or cmrorient) of the new version")
    default = os.environ.get("CMRORIENT_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(default), help="the real images")
    parser.add_argument("--output", type=Path, help="a new folder to keep everything in")
    parser.add_argument("--volumes", type=int, default=40, help="real volumes besides DICOM (40)")
    parser.add_argument("--steps", help="only the steps whose names hold this (steps before may be needed)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cmrorient-") as folder:
        place = (arguments.output or Path(folder)).resolve()
        make_input(arguments.data, place / "in", arguments.volumes)
        steps = [step for step in STEPS if (arguments.steps or "") in step.name]
        return compare(arguments.old, arguments.new, place, steps)


def make_input(data: Path, folder: Path, volumes: int) -> None:
    """Make the scrambled folder: real volumes, the DICOM series, and what no network should act on."""
    cases = choose(read_cases(data, seed=11), volumes)
    scramble(data, [case for case, _ in cases], folder)
    for case, suffix in cases:
        for name in filter(None, (case.path, case.mask)):
            if suffix != suffix_of(name):
                write(bare(read(folder / name)), folder / f"{without_suffix(name)}{suffix}")
                (folder / name).unlink()
    for name in ("dicom", "long_axis"):
        shutil.copytree(data / name, folder / name, copy_function=shutil.copyfile)
    cine = bare(read(data / "dicom" / "SCD0000201" / "cine_one_slice"))
    for n, suffix in enumerate(SUFFIXES):
        turned = Orientation(n + 3)
        write(cine.reindexed(turned, turned), folder / "cine" / f"turned-{n}{suffix}")
    image, mask = (
        next(path for path in sorted(folder.rglob("*.nii.gz")) if ("_seg" in path.name) == is_mask)
        for is_mask in (False, True)
    )
    (folder / "broken.nii.gz").write_bytes(image.read_bytes()[:-2000])
    shutil.copyfile(mask, folder / "nobodys_seg.nii.gz")
    print(
        f"{len(cases)} volumes of {sorted({case.dataset for case, _ in cases})}, {len(list(folder.rglob('*')))} files"
    )


def bare(volume: Volume) -> Volume:
    """A volume without what its file's header holds beside the grid, for a file of another format."""
    return Volume(volume.array, volume.grid, volume.slice_axis, volume.has_geometry)


def choose(cases: Sequence[Case], volumes: int) -> list[tuple[Case, str]]:
    """Volumes of every data set and sequence in turn, every orientation, and each one's format."""
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    # By their names read backwards: a mixture of people that is the same everywhere.
    for case in sorted(cases, key=lambda case: case.path[::-1]):
        groups[case.dataset, case.sequence].append(case)
    mixed = [case for rank in zip(*(groups[key] for key in sorted(groups)), strict=False) for case in rank]
    return [
        (dataclasses.replace(case, stored=Orientation(n % 8)), SUFFIXES[n % len(SUFFIXES)])
        for n, case in enumerate(mixed[:volumes])
    ]


def compare(old: Path, new: Path, place: Path, steps: Sequence[Step]) -> int:
    """Do all steps with both versions and tell; the exit status."""
    for version in ("old", "new"):
        (place / version).mkdir(parents=True)
    rows = [("step", "status", "seconds", "output", "files", "records", "pages", "pictures", "new", "result")]
    told: list[str] = []
    for step in steps:
        before, after = (call(python, place / version, step) for python, version in ((old, "old"), (new, "new")))
        found = (
            Differences()
            if step.output is None
            else compare_folders(place / "old" / step.output, place / "new" / step.output)
        )
        output = list(_outputs(step, before, after, found))
        found.found += output
        rows.append(
            (
                step.name,
                str(before.status) if before.status == after.status else f"{before.status} / {after.status}",
                f"{before.seconds:.1f} / {after.seconds:.1f}",
                "differs" if output else "same",
                *(
                    str(number) if number else ""
                    for number in (found.files, found.records, found.pages, found.pictures)
                ),
                ", ".join(sorted(found.added_keys | {Path(name).name for name in found.added_files})),
                f"{len(found.found)} differences" if found.found else "same",
            )
        )
        print(f"{step.name}: {rows[-1][-1]}", file=sys.stderr, flush=True)
        if found.found:
            told += [f"{step.name}:", *(f"  {line}" for line in found.found[:SHOWN])]
            if len(found.found) > SHOWN:
                told.append(f"  and {len(found.found) - SHOWN} more")
        if step.name == "correct":
            prepare_decisions(place)
            prepare_predictions(place)
            for version in ("old", "new"):
                shutil.copytree(place / "old" / "auto", place / version / "started")
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    different = sum(row[-1] != "same" for row in rows[1:])
    print(*told, f"{len(rows) - 1 - different} of {len(rows) - 1} steps are the same", sep="\n")
    return 1 if different else 0


def call(python: Path, folder: Path, step: Step) -> Done:
    """One command of one version, in that version's folder."""
    program = [str(python.absolute())]
    if python.stem.startswith("python"):
        program += ["-m", "CMROrientLib"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"}
    environment.pop("PYTHONPATH", None)
    start = time.monotonic()
    done = subprocess.run(
        [*program, *step.words], cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def _outputs(step: Step, old: Done, new: Done, told: Differences) -> Iterator[str]:
    if old.status != new.status:
        yield f"exit status {old.status} became {new.status}: {new.err[-300:]}"
    if step.json:
        rows = Differences()
        compare_rows("standard output", _sorted(old.out), _sorted(new.out), rows)
        told.added_keys |= rows.added_keys
        yield from rows.found
    else:
        yield from _changed_lines("standard output", old.out, new.out)
    yield from _changed_lines("standard error", old.err, new.err)


def _sorted(text: str) -> list[dict[str, object]]:
    return sorted(parse_lines(text), key=lambda row: (str(row["path"]), str(row["series"])))


def _changed_lines(name: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        changed = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
        yield f"{name}: " + " | ".join([line for line in changed if not line.startswith(("---", "+++", "@@"))][:6])


def prepare_decisions(place: Path) -> None:
    """The old version's table, edited as a person would: every fifth image is said to be stored otherwise."""
    with (place / "old" / "auto" / "cmrorient.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        if number % 5 == 0 and row["orientation"]:
            row["orientation"] = str((Orientation.of(row["orientation"]) + 3) % 8)
    with (place / "decisions.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def prepare_predictions(place: Path) -> None:
    """Segmentations of what the old version corrected: its masks, and thresholds of the DICOM series."""
    corrected, predicted = place / "old" / "auto", place / "predicted"
    for path in sorted(corrected.rglob("*_seg.*")):
        target = predicted / path.relative_to(corrected)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for line in (corrected / "cmrorient.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["kind"] == "dicom" and record["output"] is not None:
            volume = read(corrected / record["output"])
            labels = (volume.array > np.median(volume.array)).astype(np.uint8)
            frame = labels[0] if labels.ndim == 4 else labels
            target = predicted / f"{record['path']}_seg.nii.gz"
            target.parent.mkdir(parents=True, exist_ok=True)
            write(Volume(frame, volume.grid, volume.slice_axis), target)


if __name__ == "__main__":
    sys.exit(main())
