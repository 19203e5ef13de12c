"""The worked examples of "Your data set" print what the page shows, and leave the files that it lists."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from data_sets import SEQUENCES, bids, nnunet
from parts import REPOSITORY
from phantom_dicom import phantom_files
from pydicom import dcmread
from pydicom.uid import generate_uid
from sample_study import cmrorient, phantom, put, tree

PAGE = (REPOSITORY / "Documentation" / "datasets.md").read_text(encoding="utf-8")
SETTINGS = {"size": (130, 160), "slices": 9}


def of_nnunet(root: Path) -> None:
    nnunet(root / "Dataset001_Heart", {"heart_001": 5, "heart_002": 2}, **SETTINGS)
    # A network's predictions for the corrected images are named without a channel.
    for seed, case in enumerate(("heart_001", "heart_002")):
        put(phantom(0, seed=seed, with_mask=True, **SETTINGS)[1], root / "predictions" / f"{case}.nii.gz")


def of_bids(root: Path) -> None:
    bids(root / "hearts", {"01": 5, "02": 2}, **SETTINGS)


def of_siblings(root: Path) -> None:
    for seed, name in enumerate(("p1", "p2")):
        image, mask = phantom(5, seed=seed, with_mask=True, **SETTINGS)
        put(image, root / "study" / "images" / f"{name}.nii.gz")
        put(mask, root / "study" / "labels" / f"{name}.nii.gz")


def of_sequences(root: Path) -> None:
    for seed, case in enumerate(("Case01", "Case02")):
        for sequence in SEQUENCES:
            image = phantom(2, seed=seed, sequence=sequence, **SETTINGS)
            put(image, root / "sequences" / f"{case}_{sequence}.nii.gz")
        put(phantom(2, seed=seed, with_mask=True, **SETTINGS)[1], root / "sequences" / f"{case}_bSSFP_heart.nii.gz")


def of_series(root: Path) -> None:
    files = phantom_files(root / "made", orientation=5, slices=8, phases=3)
    series = {number: generate_uid() for number in range(8)}
    for path in files:
        dataset, number = dcmread(path), int(path.stem[2:4])
        dataset.SeriesInstanceUID, dataset.SeriesNumber = series[number], number + 1
        place = root / "patient" / f"series{number + 1:02}"
        place.mkdir(parents=True, exist_ok=True)
        dataset.save_as(place / path.name)
    shutil.rmtree(root / "made")


def of_any_other(root: Path) -> None:
    for seed, name in enumerate("ab"):
        image, mask = phantom(5, seed=seed, with_mask=True, **SETTINGS)
        put(image, root / "layout" / "scans" / f"{name}_im.nii.gz")
        put(mask, root / "layout" / "truth" / f"{name}_ro.nii.gz")


def that_differ(root: Path) -> None:
    first, other = (phantom(k, seed=3, sequence=name, **SETTINGS) for k, name in ((2, "bSSFP"), (3, "LGE")))
    put(first, root / "apart" / "Case03_bSSFP.nii.gz")
    # On the first one's grid, and turned apart from it.
    put(replace(other, grid=first.grid), root / "apart" / "Case03_LGE.nii.gz")


def of_label_maps(root: Path) -> None:
    for seed in range(2):
        put(phantom(5, seed=seed, with_mask=True, **SETTINGS)[1], root / "lonely" / "labelsTr" / f"p{seed}.nii.gz")


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "nnU-Net": of_nnunet,
    "BIDS": of_bids,
    "Sibling folders": of_siblings,
    "Sequences of one person, label maps beside them": of_sequences,
    "One series a slice": of_series,
    "Any other layout": of_any_other,
    "Where images of a group differ": that_differ,
    "Where there are only label maps": of_label_maps,
}


def examples() -> dict[str, list[tuple[str, list[str]]]]:
    """By heading, each command of the page and the lines that it shows."""
    found = {}
    for heading, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE):
        blocks = "\n".join(re.findall(r"^```\n(\$ .*?)^```", text, flags=re.DOTALL | re.MULTILINE))
        calls = [call.split("\n") for call in re.split(r"^\$ ", blocks, flags=re.MULTILINE)[1:]]
        if calls:
            found[heading] = [(command, [line.rstrip() for line in lines if line]) for command, *lines in calls]
    return found


def run(command: str, folder: Path) -> list[str]:
    """The lines of a command of the page: the table, and then what it says of it."""
    program, *words = shlex.split(command)
    if program == "find":
        own = tree(folder / words[0])
        return sorted(f"{words[0]}/{name}" for name in own if not Path(name).name.startswith("cmrorient"))
    done = cmrorient(*words, cwd=folder)
    return [line.rstrip() for line in (done.out + done.err).splitlines() if line]


def rough(line: str) -> str:
    """A line without the digits of a confidence, in which machines differ."""
    return re.sub(r"(?<=\b0\.)\d\d\b", "..", line)


def test_each_layout_has_an_example() -> None:
    assert list(examples()) == list(LAYOUTS)


@pytest.mark.parametrize("heading", LAYOUTS)
def test_an_example_prints_what_the_page_shows(heading: str, tmp_path: Path) -> None:
    LAYOUTS[heading](tmp_path)
    for command, shown in examples()[heading]:
        lines = run(command, tmp_path)
        if shown[-1] == "…":
            shown = shown[:-1]
            lines = lines[: len(shown)]
        assert [rough(line) for line in lines] == [rough(line) for line in shown], command
