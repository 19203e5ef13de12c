"""``cmrorient restore`` on files: pairing by path, formats, refusals, exit status."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from CMROrientLib.cli.main import main
from CMROrientLib.errors import UsageError
from CMROrientLib.folders import correct_folder
from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.restore.restore import restore
from CMROrientLib.run.record import Record
from CMROrientLib.run.store import Store
from CMROrientLib.volume import Grid, Volume


def _oblique() -> Grid:
    """Near a short axis, rows and columns of unequal spacing; SimpleITK takes orthogonal grids only."""
    directions, _ = np.linalg.qr([[0.63, -0.44, -0.64], [0.73, 0.06, 0.68], [-0.25, -0.90, 0.36]])
    affine = np.eye(4)
    affine[:3, :3] = directions * [1.25, 1.5, 8.0]
    affine[:3, 3] = 12.5, -80.25, 33.125
    return Grid.from_affine((12, 9, 4), affine)


OBLIQUE = _oblique()


def image_on(grid: Grid, phases: int = 1, seed: int = 0) -> Volume:
    shape = grid.size[::-1] if phases == 1 else (phases, *grid.size[::-1])
    return Volume.from_stored(np.random.default_rng(seed).integers(1, 900, shape).astype(np.int16), grid)


def labels_of(path: Path) -> NDArray[np.uint8]:
    """A segmentation by thresholds, as SimpleITK shows the image."""
    return (sitk.GetArrayFromImage(sitk.ReadImage(str(path))) // 100).astype(np.uint8)


def segment(image: Path, segmentation: Path, reorient: str | None = None) -> None:
    """Segment an image with SimpleITK, as a tool does that knows nothing of this project."""
    source = sitk.ReadImage(str(image))
    labels = sitk.Cast(source / 100, sitk.sitkUInt8)
    if reorient is not None:
        labels = sitk.DICOMOrient(labels, reorient)
    segmentation.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(labels, str(segmentation))


def assert_on_grid_of(restored: Path, image: Path) -> None:
    """The segmentation of the original, voxel for voxel, where SimpleITK sees the original."""
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(restored))), labels_of(image))
    here, there = sitk.ReadImage(str(restored)), sitk.ReadImage(str(image))
    assert here.GetPixelID() == sitk.sitkUInt8
    for corner in np.ndindex(*[2] * here.GetDimension()):
        index = [int(c * (n - 1)) for c, n in zip(corner, here.GetSize(), strict=True)]
        moved = np.subtract(here.TransformIndexToPhysicalPoint(index), there.TransformIndexToPhysicalPoint(index))
        assert np.linalg.norm(moved) < 1e-4


def corrected(inputs: Path, out: Path, orientation: Orientation = Orientation.ROTATE_90, **more: object) -> None:
    correct_folder(inputs, out, orientation=orientation, **more)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with ``in`` (two images), and ``out`` as a run left it."""
    write(image_on(OBLIQUE), tmp_path / "in" / "a" / "case.1.nii.gz")
    write(image_on(OBLIQUE, seed=1), tmp_path / "in" / "case2.nrrd")
    corrected(tmp_path / "in", tmp_path / "out")
    return tmp_path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("mode", ["auto", "follow", "keep"])
def test_segmentations_come_back_in_every_format(tmp_path: Path, suffix: str, mode: str) -> None:
    for k in Orientation:
        name = f"class{k:d}"
        write(image_on(OBLIQUE, seed=k), tmp_path / name / f"{name}{suffix}")
        corrected(tmp_path / name, tmp_path / "out", k, geometry=mode, target=Orientation((k + 3) % 8))
        segment(tmp_path / "out" / f"{name}{suffix}", tmp_path / "seg" / f"{name}_seg{suffix}")
    entries = restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back", "_seg")
    assert [entry.error for entry in entries] == [None] * 8
    for k in Orientation:
        name = f"class{k:d}"
        assert_on_grid_of(tmp_path / "back" / f"{name}_seg{suffix}", tmp_path / name / f"{name}{suffix}")


@pytest.mark.parametrize("reorient", ["RAS", "LPS", "SRA", "PIL"])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_what_a_tool_has_sorted_anew_comes_back(run: Path, reorient: str, suffix: str) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / f"case2{suffix}", reorient)
    assert main(["restore", str(run / "out"), str(run / "seg"), "-o", str(run / "back")]) == 0
    assert_on_grid_of(run / "back" / f"case2{suffix}", run / "in" / "case2.nrrd")


def test_nibabels_closest_canonical_comes_back(run: Path) -> None:
    image = nibabel.load(run / "out" / "a" / "case.1.nii.gz")
    labels = nibabel.Nifti1Image((np.asarray(image.dataobj) // 100).astype(np.uint8), image.affine)
    (run / "seg" / "a").mkdir(parents=True)
    nibabel.save(nibabel.as_closest_canonical(labels), run / "seg" / "a" / "case.1.nii.gz")
    assert not np.array_equal(nibabel.load(run / "seg" / "a" / "case.1.nii.gz").shape, image.shape)
    restore(run / "out", run / "seg", run / "back")
    assert_on_grid_of(run / "back" / "a" / "case.1.nii.gz", run / "in" / "a" / "case.1.nii.gz")


@pytest.mark.parametrize("geometry", ["auto", "follow"])
@pytest.mark.parametrize("tool", ["SimpleITK", "SimpleITK sorting", "nibabel", "nibabel sorting"])
def test_an_image_that_says_nothing_of_its_place(tmp_path: Path, tool: str, geometry: str) -> None:
    """Tools then make up a place of their own; what they sort by it must not come back mirrored."""
    header = nibabel.Nifti1Header()
    header.set_data_shape((12, 9, 4))
    header.set_data_dtype(np.int16)
    header.set_zooms((1.25, 1.5, 8.0))
    values = np.random.default_rng(3).integers(1, 900, (12, 9, 4)).astype(np.int16)
    image = nibabel.Nifti1Image(values, None, header)
    image.header["qform_code"] = image.header["sform_code"] = 0
    (tmp_path / "in").mkdir()
    nibabel.save(image, tmp_path / "in" / "case.nii.gz")
    assert not read(tmp_path / "in" / "case.nii.gz").has_geometry
    corrected(tmp_path / "in", tmp_path / "out", geometry=geometry)
    if tool.startswith("SimpleITK"):
        sorting = "RAS" if "sorting" in tool else None
        segment(tmp_path / "out" / "case.nii.gz", tmp_path / "seg" / "case.nii.gz", sorting)
    else:
        shown = nibabel.load(tmp_path / "out" / "case.nii.gz")
        labels = nibabel.Nifti1Image((np.asarray(shown.dataobj) // 100).astype(np.uint8), shown.affine)
        (tmp_path / "seg").mkdir()
        nibabel.save(
            nibabel.as_closest_canonical(labels) if "sorting" in tool else labels, tmp_path / "seg/case.nii.gz"
        )
    assert restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")[0].error is None
    assert_on_grid_of(tmp_path / "back" / "case.nii.gz", tmp_path / "in" / "case.nii.gz")


def test_one_file_can_be_given(run: Path) -> None:
    segment(run / "out" / "case2.nrrd", run / "case2-gt.mha")
    entries = restore(run / "out", run / "case2-gt.mha", run / "back", "-gt")
    assert [(entry.output, entry.image) for entry in entries] == [("case2-gt.mha", "case2.nrrd")]
    assert_on_grid_of(run / "back" / "case2-gt.mha", run / "in" / "case2.nrrd")


def test_segmentations_may_lie_beside_the_corrected_images(run: Path) -> None:
    segment(run / "out" / "case2.nrrd", run / "out" / "case2_seg.nrrd")
    entries = restore(run / "out", run / "out", run / "back", "_seg")
    assert [entry.path for entry in entries] == ["case2_seg.nrrd"]
    assert_on_grid_of(run / "back" / "case2_seg.nrrd", run / "in" / "case2.nrrd")


def test_the_masks_that_a_run_turned_come_back_bit_for_bit(tmp_path: Path) -> None:
    write(image_on(OBLIQUE), tmp_path / "in" / "case.nii.gz")
    segment(tmp_path / "in" / "case.nii.gz", tmp_path / "in" / "case_gt.nii.gz")
    corrected(tmp_path / "in", tmp_path / "out", masks=["_gt"], geometry="keep")
    restore(tmp_path / "out", tmp_path / "out", tmp_path / "back", "_gt")
    assert_on_grid_of(tmp_path / "back" / "case_gt.nii.gz", tmp_path / "in" / "case.nii.gz")


def test_one_frame_of_a_cine(tmp_path: Path) -> None:
    write(image_on(OBLIQUE, phases=5), tmp_path / "in" / "cine.nii.gz")
    corrected(tmp_path / "in", tmp_path / "out")
    cine = read(tmp_path / "out" / "cine.nii.gz")
    frame = Volume((cine.array[2] // 100).astype(np.uint8), cine.grid, cine.slice_axis)
    write(frame, tmp_path / "seg" / "cine.nii.gz")
    restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")
    original = read(tmp_path / "in" / "cine.nii.gz")
    np.testing.assert_array_equal(read(tmp_path / "back" / "cine.nii.gz").array, original.array[2] // 100)


def test_a_flat_image(tmp_path: Path) -> None:
    write(image_on(Grid((12, 9, 1), (1.5, 1.25, 8.0))), tmp_path / "in" / "flat.mha")
    corrected(tmp_path / "in", tmp_path / "out")
    segment(tmp_path / "out" / "flat.mha", tmp_path / "seg" / "flat.mha")
    assert restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")[0].error is None
    assert_on_grid_of(tmp_path / "back" / "flat.mha", tmp_path / "in" / "flat.mha")


def test_slicers_segments_keep_their_boxes(run: Path) -> None:
    """Slicer cuts a segment to its recorded box: the box has to turn with the voxels."""
    original = read(run / "in" / "case2.nrrd")
    array = np.zeros(original.stored()[0].shape, np.uint8)
    array[1:3, 2:4, 5:11] = 1
    image = sitk.ReadImage(str(run / "out" / "case2.nrrd"))
    placed = Volume.from_stored(array, original.stored()[1])
    turned = placed.reindexed(Orientation.ROTATE_270, Orientation.IDENTITY).stored()[0]
    k, j, i = (np.flatnonzero(turned.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    labels = sitk.GetImageFromArray(np.ascontiguousarray(turned))
    labels.CopyInformation(image)
    extent = f"{i[0]} {i[-1]} {j[0]} {j[-1]} {k[0]} {k[-1]}"
    metadata = {
        "Segment0_ID": "lv",
        "Segment0_Extent": extent,
        "Segment1_Extent": "0 -1 0 -1 0 -1",
        "Segmentation_ConversionParameters": "Reference image geometry|1;0;0;0",
    }
    for key, value in metadata.items():
        labels.SetMetaData(key, value)
    (run / "seg").mkdir()
    sitk.WriteImage(labels, str(run / "seg" / "case2.seg.nrrd"))
    assert restore(run / "out", run / "seg", run / "back")[0].error is None
    back = sitk.ReadImage(str(run / "back" / "case2.seg.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), array)
    assert back.GetMetaData("Segment0_Extent") == "5 10 2 3 1 2"
    assert back.GetMetaData("Segment1_Extent") == "0 -1 0 -1 0 -1"
    assert back.GetMetaData("Segment0_ID") == "lv"
    assert not back.HasMetaDataKey("Segmentation_ConversionParameters")


def test_refusals_are_told_and_the_others_done(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / "case2.nrrd")
    segment(run / "in" / "a" / "case.1.nii.gz", run / "seg" / "a" / "case.1.nii.gz")
    segment(run / "out" / "case2.nrrd", run / "seg" / "case2_gt.nrrd")
    segment(run / "out" / "case2.nrrd", run / "seg" / "stranger.nrrd")
    (run / "seg" / "a" / "broken.nii.gz").write_bytes(b"no image")
    before = {path: path.read_bytes() for path in (run / "seg").rglob("*") if path.is_file()}
    assert main(["restore", str(run / "out"), str(run / "seg"), "-o", str(run / "back")]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["case2.nrrd -> case2.nrrd (grid of case2.nrrd)"]
    told = dict(line.removeprefix("error: ").split(": ", 1) for line in shown.err.splitlines() if "error" in line)
    assert set(told) == {"a/broken.nii.gz", "a/case.1.nii.gz", "case2_gt.nrrd", "stranger.nrrd"}
    assert "12 × 9 × 4 voxels" in told["a/case.1.nii.gz"] or "beside the corrected image" in told["a/case.1.nii.gz"]
    assert "perhaps --suffix _gt" in told["case2_gt.nrrd"]
    reason, names = told["stranger.nrrd"].split("; ")
    assert reason == "the run's record has no image of this path"
    assert names.startswith("the run's images would take ")
    assert "case2.nrrd" in names
    assert "a/case.1.nii.gz" in names
    assert shown.err.splitlines()[-1] == "1 restored, 4 refused"
    assert [path.name for path in (run / "back").rglob("*")] == ["case2.nrrd"]
    assert before == {path: path.read_bytes() for path in (run / "seg").rglob("*") if path.is_file()}


def test_the_missing_suffix_is_told_whole(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / "case2_gt_2.nrrd")
    assert main(["restore", str(run / "out"), str(run / "seg"), "-o", str(run / "back"), "--suffix", "_2"]) == 1
    assert "perhaps --suffix _gt_2 is needed" in capsys.readouterr().err


def test_the_names_that_would_be_taken_are_told_where_none_fits(tmp_path: Path) -> None:
    for name in ("p01/cine.nii.gz", "p02/cine.nii.gz", "p03/cine.nii.gz", "p03/lge.mha", "p04/cine.nii.gz"):
        write(image_on(OBLIQUE), tmp_path / "in" / name)
    corrected(tmp_path / "in", tmp_path / "out")
    segment(tmp_path / "out" / "p01" / "cine.nii.gz", tmp_path / "seg" / "P03-lge_pred.nrrd")
    [entry] = restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back", "_pred")
    error = entry.error or ""
    assert error.startswith(
        "the run's record has no image of this path; the run's images would take p03/lge_pred.mha, "
    )
    assert error.endswith(" and 2 more (or another format)")
    with pytest.raises(
        UsageError, match=r"whose name ends in '_gt' .*; the run's images would take p01/cine_gt.nii.gz"
    ):
        restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back", "_gt")


def test_an_image_that_was_not_written_is_refused_with_the_reason(run: Path) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / "bad.nrrd")
    with Store.open(run / "out") as store:
        store.put(Record(path="bad.nii.gz", error="is cut short"))
    entry = restore(run / "out", run / "seg", run / "back")[0]
    assert entry.error == "the run wrote no corrected image for it (is cut short); correct it first"


def test_the_image_with_the_right_grid_is_taken(tmp_path: Path) -> None:
    """Two images of one name but for the format: grids tell them apart, else the format does."""
    write(image_on(OBLIQUE), tmp_path / "in" / "case.nii.gz")
    write(image_on(Grid((6, 5, 4)), seed=1), tmp_path / "in" / "case.mha")
    corrected(tmp_path / "in", tmp_path / "out")
    segment(tmp_path / "out" / "case.nii.gz", tmp_path / "seg" / "case.nrrd")
    assert restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")[0].image == "case.nii.gz"
    write(image_on(OBLIQUE, seed=2), tmp_path / "in" / "case.mha")
    corrected(tmp_path / "in", tmp_path / "out2")
    assert "fits several" in (restore(tmp_path / "out2", tmp_path / "seg", tmp_path / "back2")[0].error or "")
    segment(tmp_path / "out2" / "case.mha", tmp_path / "seg2" / "case.mha")
    assert restore(tmp_path / "out2", tmp_path / "seg2", tmp_path / "back3")[0].image == "case.mha"


def test_nothing_is_replaced_unasked(run: Path) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / "case2.nrrd")
    (run / "back").mkdir()
    (run / "back" / "case2.nrrd").write_text("mine")
    call = ["restore", str(run / "out"), str(run / "seg"), "-o", str(run / "back")]
    assert main(call) == 2
    assert (run / "back" / "case2.nrrd").read_text() == "mine"
    assert main([*call, "--overwrite"]) == 0
    assert_on_grid_of(run / "back" / "case2.nrrd", run / "in" / "case2.nrrd")


def test_an_original_is_never_replaced(run: Path) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / "case2.nrrd")
    before = hashlib.sha256((run / "in" / "case2.nrrd").read_bytes()).digest()
    with pytest.raises(UsageError, match="the original image itself"):
        restore(run / "out", run / "seg", run / "in", overwrite=True)
    assert hashlib.sha256((run / "in" / "case2.nrrd").read_bytes()).digest() == before


@pytest.mark.parametrize(
    ("out", "segmentations", "destination", "suffix", "reason"),
    [
        ("nowhere", "seg", "back", "", "no such file or folder"),
        ("out", "nowhere", "back", "", "no such file or folder"),
        ("seg", "seg", "back", "", "no record of a run"),
        ("out", "out/a", "back", "_seg", "whose name ends in '_seg'"),
        ("out", "empty", "back", "", "no NIfTI, NRRD or MetaImage segmentation"),
        ("out", "seg", "seg", "", "lies inside the input"),
        ("out", "seg", "seg/back", "", "lies inside the input"),
        ("out", "seg", "out/back", "", "lies inside the input"),
        ("out", "seg", ".", "", "lies inside the output"),
    ],
)
def test_wrong_usage_writes_nothing(
    run: Path, out: str, segmentations: str, destination: str, suffix: str, reason: str
) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / "case2.nrrd")
    (run / "empty").mkdir()
    before = sorted(run.rglob("*"))
    with pytest.raises(UsageError, match=reason):
        restore(run / out, run / segmentations, run / destination, suffix)
    assert sorted(run.rglob("*")) == before


def test_a_record_without_a_field_is_refused(run: Path) -> None:
    segment(run / "out" / "case2.nrrd", run / "seg" / "case2.nrrd")
    lines = (run / "out" / "cmrorient.jsonl").read_text(encoding="utf-8").splitlines()
    stripped = [json.dumps({k: v for k, v in json.loads(line).items() if k != "grid_in"}) for line in lines]
    (run / "out" / "cmrorient.jsonl").write_text("\n".join(stripped) + "\n", encoding="utf-8")
    (run / "out" / "cmrorient.sqlite").unlink()
    assert "grid_in missing" in (restore(run / "out", run / "seg", run / "back")[0].error or "")


@pytest.mark.parametrize("dataset", ["acdc", "mnms_a", "myops"])
def test_real_masks_come_back(data_root: Path, tmp_path: Path, dataset: str) -> None:
    """A real image stored in some other class, its mask drawn on the corrected image and sorted to RAS."""
    with (data_root / "index.csv").open(encoding="utf-8", newline="") as stream:
        entry = next(line for line in csv.DictReader(stream) if line["path"].startswith(f"{dataset}/") and line["mask"])
    for k in (Orientation.ROTATE_90, Orientation.FLIP_HORIZONTAL):
        for name, path in (("case", entry["path"]), ("case_seg", entry["mask"])):
            write(read(data_root / path).reindexed(k, k), tmp_path / f"in{k:d}" / f"{name}.nii.gz")
        out, seg, back = (tmp_path / f"{folder}{k:d}" for folder in ("out", "seg", "back"))
        corrected(tmp_path / f"in{k:d}", out, k, masks=["_seg"])
        drawn = sitk.DICOMOrient(sitk.ReadImage(str(out / "case_seg.nii.gz")), "RAS")
        seg.mkdir()
        sitk.WriteImage(drawn, str(seg / "case_pred.nrrd"))
        assert [entry.error for entry in restore(out, seg, back, "_pred")] == [None]
        mask = sitk.ReadImage(str(tmp_path / f"in{k:d}" / "case_seg.nii.gz"))
        result = sitk.ReadImage(str(back / "case_pred.nrrd"))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(result), sitk.GetArrayFromImage(mask))
        last = [n - 1 for n in mask.GetSize()]
        for index in ([0, 0, 0], last):
            here, there = result.TransformIndexToPhysicalPoint(index), mask.TransformIndexToPhysicalPoint(index)
            np.testing.assert_allclose(here, there, atol=1e-3)
