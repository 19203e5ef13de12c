"""Real volumes in all eight orientations: node → recognize → correct → node → saved file → reloaded node."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import parts
import pytest
from slicer_host import add_volume, application, host, places, save_and_load, scene, slicer, voxels  # noqa: F401

from CMROrientLib import io as files
from CMROrientLib.correction import GEOMETRY_MODES
from CMROrientLib.mrml.nodes import grid_from_node, right_handed
from CMROrientLib.orientation import Orientation

pytestmark = pytest.mark.usefixtures("scene")

#: A true header in each sequence, and one that says nothing.
CASES = [("myops", "bSSFP"), ("myops", "LGE"), ("myops", "T2"), ("acdc", "bSSFP")]


@pytest.fixture(scope="module")
def logic() -> Any:
    return host.load_module().CMROrientLogic()


def case(data_root: Path, dataset: str, modality: str) -> Path:
    """The volume with few slices, not near the border between two classes."""
    with (data_root / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{dataset}/")]
    rows = [row for row in rows if row["modality"] == modality and float(row["margin_deg"] or 90) > 20]
    if not rows:
        parts.missing(f"no {modality} volume of {dataset} in index.csv")
    return (
        data_root / sorted(rows, key=lambda row: (int(row["slices"]) < 3, int(row["slices"]), row["path"]))[0]["path"]
    )


def reloaded(made: Any, folder: Path) -> Iterator[Any]:
    for suffix in (".nii.gz", ".nrrd"):
        yield save_and_load(made, folder / f"{made.GetName()}{suffix}")


@pytest.mark.parametrize(("dataset", "modality"), CASES, ids=[" ".join(case) for case in CASES])
def test_all_eight_orientations_come_back(
    data_root: Path, tmp_path: Path, logic: Any, dataset: str, modality: str
) -> None:
    original = right_handed(files.read(case(data_root, dataset, modality)))
    stored = original.volume
    for orientation in Orientation:
        turned = right_handed(stored.reindexed(orientation, orientation))
        node = add_volume(turned.volume, f"class {orientation}")
        examined = logic.examine(node)
        assert examined.recognition.orientation is orientation
        # A header that says nothing keeps its directions whatever is asked of "auto".
        known = examined.recognition.header_state == "known"
        for geometry in GEOMETRY_MODES:
            made = logic.correct(node, geometry)
            flips = turned.slices_reversed + made.slices_reversed
            order = slice(None, None, -1) if flips == 1 else slice(None)
            assert made.node.GetAttribute("CMROrient.SlicesReversed") == ("yes" if made.slices_reversed else "no")
            for again in reloaded(made.node, tmp_path):
                assert np.array_equal(voxels(again)[order], stored.array), (orientation, geometry)
                assert voxels(again).dtype == stored.array.dtype
                np.testing.assert_allclose(places(again), places(made.node), atol=1e-3)
                grid = grid_from_node(again)
                np.testing.assert_allclose(grid.centre, turned.volume.grid.centre, atol=1e-2)
                if geometry == "follow" or (geometry == "auto" and known):
                    # Every voxel is where it was in the patient.
                    first = grid.affine @ [0, 0, grid.size[2] - 1 if flips == 1 else 0, 1]
                    np.testing.assert_allclose(first, stored.grid.affine @ [0, 0, 0, 1], atol=1e-2)
