"""A folder in which nothing can be done says so, whatever the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_sets import other_view
from sample_study import NETWORK, Finished, cmrorient, phantom, put

COMMANDS = ("recognize", "correct", "audit")


def run(command: str, source: Path, tmp_path: Path) -> Finished:
    more = {"recognize": [], "correct": ["-o", tmp_path / "out"], "audit": ["-o", tmp_path / "audit.html"]}[command]
    return cmrorient(command, source, *more, *NETWORK)


def said(done: Finished) -> str:
    return " ".join(done.err.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_a_short_axis(command: str, tmp_path: Path) -> None:
    for seed in (0, 2, 5):
        put(other_view(seed), tmp_path / "in" / f"view{seed}.nii.gz")
    done = run(command, tmp_path / "in", tmp_path)
    assert done.status == 0
    assert "no image here is a short-axis image" in said(done)
    assert "give the short-axis series, or decide yourself with correct --orientation or --decisions" in said(done)
    put(phantom(5), tmp_path / "in" / "sax.nii.gz")
    (tmp_path / "audit.html").unlink(missing_ok=True)
    for name in ("audit.jsonl", "audit.csv"):
        (tmp_path / name).unlink(missing_ok=True)
    assert "short-axis image" not in said(run(command, tmp_path / "in", tmp_path))


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_but_label_maps(command: str, tmp_path: Path) -> None:
    for seed in range(2):
        put(phantom(5, seed=seed, with_mask=True)[1], tmp_path / "in" / f"x{seed}.nii.gz")
    done = run(command, tmp_path / "in", tmp_path)
    assert done.status == 0
    assert "nothing but label maps here: they are not recognized, they follow their image" in said(done)
    assert "give the folder that holds the images too" in said(done)
