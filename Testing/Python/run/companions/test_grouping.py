"""Which images belong together, told from whose they are and where they lie; and names of files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_study import phantom, put

from CMROrientLib.run.companions.grouping import Member, join
from CMROrientLib.run.companions.together import case_without_sequence
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.plan import plan_run
from CMROrientLib.volume import Grid

STUDY = ("patient", "1.2.3")


def slice_at(height: float, *, beside: float = 0.0, turned: float = 0.0, columns: int = 128) -> Grid:
    """One slice of a stack, shifted along its normal and beside it, or turned about it by some degrees."""
    grid = phantom(0, slices=1).grid
    directions = grid.directions
    normal = np.cross(directions[:, 0], directions[:, 1])
    angle = np.deg2rad(turned)
    across = np.cos(angle) * directions[:, 0] + np.sin(angle) * directions[:, 1]
    matrix = np.stack([across, np.cross(normal, across), normal], axis=1)
    origin = np.array(grid.origin) + height * normal + beside * directions[:, 0]
    size = (columns, grid.size[1], 1)
    return Grid(size, grid.spacing, tuple(origin), tuple(matrix.ravel()))


def member(name: str, grid: Grid, study: tuple[str, ...] = STUDY, has_geometry: bool = True) -> Member[str]:
    return Member(name, study, grid, has_geometry)


def joined(*members: Member[str]) -> list[tuple[str, tuple[str, ...]]]:
    return [(group.kind, group.names) for group in join(members)]


def test_series_of_one_stack_in_the_order_of_their_slices() -> None:
    heights = {"c": 20.0, "a": 0.0, "b": 10.0}
    found = joined(*(member(name, slice_at(height)) for name, height in heights.items()))
    assert found in ([("stack", ("a", "b", "c"))], [("stack", ("c", "b", "a"))])


def test_a_slice_that_was_taken_twice_belongs_to_its_stack() -> None:
    found = joined(*(member(str(n), slice_at(height)) for n, height in enumerate((0, 10, 10, 20))))
    assert [(kind, sorted(names)) for kind, names in found] == [("stack", ["0", "1", "2", "3"])]


@pytest.mark.parametrize(
    "other",
    [
        member("b", slice_at(10), ("patient", "1.2.4")),
        member("b", slice_at(10), ("another", "1.2.3")),
        member("b", slice_at(10, beside=5)),
        member("b", slice_at(10, turned=2)),
        member("b", slice_at(10, columns=64)),
        member("b", slice_at(45)),
        member("b", slice_at(10), has_geometry=False),
        member("b", replace(slice_at(10), spacing=(2.0, 2.0, 8.0))),
    ],
    ids=["study", "patient", "beside", "turned", "matrix", "far", "unplaced", "spacing"],
)
def test_what_is_no_stack(other: Member[str]) -> None:
    assert joined(member("a", slice_at(0)), other) == []


def test_without_a_study_nothing_is_joined() -> None:
    assert joined(*(member(str(n), slice_at(10 * n), ("", "")) for n in range(3))) == []


def test_directions_along_the_axes_make_no_stack() -> None:
    plain = [Grid((64, 64, 1), (1.0, 1.0, 8.0), (0.0, 0.0, 8.0 * n)) for n in range(3)]
    assert joined(*(member(str(n), grid) for n, grid in enumerate(plain))) == []


def test_sequences_on_one_grid() -> None:
    grid = phantom(0).grid
    moved = replace(grid, origin=(grid.origin[0] + 1, *grid.origin[1:]))
    found = joined(member("a", grid), member("b", grid), member("c", moved), member("d", grid, ("other", "1.2.3")))
    assert found == [("sequences", ("a", "b"))]


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("Case3001_C0", ("case3001",)),
        ("Case3001_LGE", ("case3001",)),
        ("lge", ()),
        ("patient001_frame01", ("patient001",)),
        ("sub-01_acq-lge_T1w", ("sub", "01")),
        ("Case3001", None),
        ("P2015_0001", None),
    ],
)
def test_the_case_of_a_name(name: str, case: tuple[str, ...] | None) -> None:
    assert case_without_sequence(name) == case


def groups(root: Path, **options: object) -> dict[str, str | None]:
    plan = plan_run(RunOptions(inputs=root, **options))
    return {
        image.path: None if image.group is None else f"{image.group.kind} {image.group.name}" for image in plan.images
    }


def put_slices(folder: Path, pattern: str, seed: int = 0, count: int = 3, size: tuple[int, int] = (48, 64)) -> None:
    """A stack as a file a slice."""
    volume = phantom(5, seed=seed, slices=8, size=size)
    for n in range(count):
        grid = replace(
            volume.grid,
            size=(*volume.grid.size[:2], 1),
            origin=tuple((volume.grid.affine @ [0, 0, n, 1])[:3]),
        )
        put(replace(volume, array=volume.array[n : n + 1], grid=grid), folder / pattern.format(n + 1))


def test_files_of_one_grid_and_case(tmp_path: Path) -> None:
    for seed, case in enumerate(("Case1", "Case2")):
        for sequence in ("C0", "LGE", "T2"):
            put(phantom(5, seed=seed), tmp_path / f"{case}_{sequence}.nii.gz")
    put(phantom(5, slices=3), tmp_path / "Case1_T1.nii.gz")
    put(phantom(5), tmp_path / "P1" / "cine.nrrd")
    put(phantom(5), tmp_path / "P1" / "lge.nii")
    put(phantom(5), tmp_path / "P2" / "cine.nii")
    assert groups(tmp_path) == {
        **{f"{case}_{s}.nii.gz": f"sequences {case}" for case in ("Case1", "Case2") for s in ("C0", "LGE", "T2")},
        "Case1_T1.nii.gz": None,
        "P1/cine.nrrd": "sequences P1",
        "P1/lge.nii": "sequences P1",
        "P2/cine.nii": None,
    }
    assert set(groups(tmp_path, companions="none").values()) == {None}


def test_people_whose_grids_are_the_same_are_not_joined(tmp_path: Path) -> None:
    """Cropped data sets have one made-up grid for all."""
    for name in ("p1.nii", "p2.nii", "anna.nii", "bert.nii", "p_0001.nii", "p_0002.nii"):
        put(phantom(5, header="empty"), tmp_path / name)
        put(phantom(5, slices=1), tmp_path / "slices" / name)
    assert set(groups(tmp_path).values()) == {None}


def test_a_file_a_slice(tmp_path: Path) -> None:
    put_slices(tmp_path / "P1", "sax_{}.nii.gz")
    put_slices(tmp_path / "P2", "sax_{:02d}_ed.nii.gz", seed=1)
    put_slices(tmp_path / "P3", "sax_{}.nii.gz", count=1)
    found = groups(tmp_path)
    assert {found[f"P1/sax_{n}.nii.gz"] for n in (1, 2, 3)} == {"stack P1/sax"}
    assert {found[f"P2/sax_0{n}_ed.nii.gz"] for n in (1, 2, 3)} == {"stack P2/sax"}
    assert found["P3/sax_1.nii.gz"] is None
