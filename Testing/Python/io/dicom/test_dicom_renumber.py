"""Slices numbered from the other end: positions stay, numbers change, nothing else."""

from __future__ import annotations

from pathlib import Path

import dicom_cases as cases
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset

from CMROrientLib.correction import plan, with_slice_order
from CMROrientLib.errors import CMROrientError
from CMROrientLib.io.dicom.read import read_dicom
from CMROrientLib.io.dicom.write import write_dicom
from CMROrientLib.slice_order import SliceOrder
from CMROrientLib.volume import Volume

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@pytest.fixture
def stack(data_root: Path) -> list[FileDataset]:
    return cases.people(data_root, count=4)


def _renumbered(volume: Volume, found: SliceOrder, wanted: SliceOrder, p: int = 0) -> Volume:
    correction = with_slice_order(plan(p, volume.header_orientation(), "auto"), volume, found, wanted)
    return correction.apply(volume)


def _by_number(paths: list[Path]) -> list[FileDataset]:
    return sorted((dcmread(path) for path in paths), key=lambda dataset: int(dataset.InstanceNumber))


def _heights(datasets: list[FileDataset]) -> list[float]:
    normal = np.cross(datasets[0].ImageOrientationPatient[:3], datasets[0].ImageOrientationPatient[3:])
    return [float(normal @ dataset.ImagePositionPatient) for dataset in datasets]


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("found", ["base_first", "apex_first"])
def test_instances_come_in_the_wanted_order(
    stack: list[FileDataset], tmp_path: Path, found: SliceOrder, falling: bool
) -> None:
    # The order of a volume is that along its normal, whatever its instances' numbers.
    heights = np.argsort(np.argsort(_heights(stack)))
    for dataset, rank in zip(stack, heights, strict=True):
        dataset.InstanceNumber = int(40 - rank if falling else 11 + rank)
    paths = cases.save_all(stack, tmp_path / "in")
    volume = read_dicom(paths)
    assert volume.metadata.numbered == (-1 if falling else 1)
    written = write_dicom(_renumbered(volume, found, "base_first"), tmp_path / "out")
    ordered = _by_number(written)
    rising = found == "base_first"
    assert (np.diff(_heights(ordered)) > 0).all() == rising
    by_position = {tuple(dataset.ImagePositionPatient): dataset for dataset in map(dcmread, paths)}
    for dataset in ordered:
        before = by_position[tuple(dataset.ImagePositionPatient)]
        np.testing.assert_array_equal(dataset.pixel_array, before.pixel_array)
        assert dataset.ImageOrientationPatient == before.ImageOrientationPatient
        assert dataset.get("FrameOfReferenceUID") == before.get("FrameOfReferenceUID")
    if rising != falling:
        # Right already: every file is the source's, byte for byte.
        assert [a.read_bytes() for a in written] == [b.read_bytes() for b in paths]
    else:
        assert {int(d.InstanceNumber) for d in ordered} == {int(d.InstanceNumber) for d in by_position.values()}
        assert not {d.SOPInstanceUID for d in ordered} & {d.SOPInstanceUID for d in by_position.values()}
        assert "numbered from the other end" in ordered[0].DerivationDescription


def test_with_a_turn_in_plane(stack: list[FileDataset], tmp_path: Path) -> None:
    paths = cases.save_all([cases.turned(dataset, 4) for dataset in stack], tmp_path / "in")
    volume = read_dicom(paths)
    fixed = _renumbered(volume, "apex_first", "base_first", p=4)
    written = _by_number(write_dicom(fixed, tmp_path / "out"))
    shown = np.stack([dataset.pixel_array for dataset in written])
    # The instances in the order of their numbers are the volume's slices.
    np.testing.assert_array_equal(shown, fixed.array)


def test_phases_stay_in_their_order(stack: list[FileDataset], tmp_path: Path) -> None:
    datasets = []
    for phase in range(3):
        for index, dataset in enumerate(cases.fresh_series(stack)):
            dataset.PixelData = (dataset.pixel_array + phase).astype(dataset.pixel_array.dtype).tobytes()
            dataset.TriggerTime = 30 * phase
            dataset.InstanceNumber = 1 + 3 * index + phase
            datasets.append(dataset)
    paths = cases.save_all(datasets, tmp_path / "in")
    volume = read_dicom(paths)
    fixed = _renumbered(volume, "base_first", "apex_first")
    written = _by_number(write_dicom(fixed, tmp_path / "out"))
    assert fixed.renumbered == (volume.metadata.numbered > 0)
    shown = np.stack([dataset.pixel_array for dataset in written]).reshape(4, 3, *fixed.array.shape[-2:])
    np.testing.assert_array_equal(shown.swapaxes(0, 1), fixed.array)


def test_numbers_that_are_missing_are_counted_anew(stack: list[FileDataset], tmp_path: Path) -> None:
    for dataset in stack:
        del dataset.InstanceNumber
    volume = read_dicom(cases.save_all(stack, tmp_path / "in"))
    fixed = _renumbered(volume, "base_first", "apex_first" if volume.metadata.numbered > 0 else "base_first")
    written = _by_number(write_dicom(fixed, tmp_path / "out"))
    assert [int(dataset.InstanceNumber) for dataset in written] == [1, 2, 3, 4]
    np.testing.assert_array_equal(np.stack([dataset.pixel_array for dataset in written]), fixed.array)


@pytest.mark.parametrize("phases", [1, 2])
def test_frames_of_an_enhanced_file_change_places(stack: list[FileDataset], tmp_path: Path, phases: int) -> None:
    dataset = cases.enhanced(stack, phases=phases)
    for index, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        place = [1, 1 + index // phases, 1 + index % phases]
        group.FrameContentSequence = [cases.item(DimensionIndexValues=place, InStackPositionNumber=place[1])]
    path = cases.save(dataset, tmp_path / "a.dcm")
    volume = read_dicom([path])
    fixed = _renumbered(volume, "base_first", "apex_first" if volume.metadata.numbered > 0 else "base_first")
    assert fixed.renumbered
    (written,) = write_dicom(fixed, tmp_path / "b.dcm")
    before, after = dcmread(path), dcmread(written)

    def frames(dataset: FileDataset) -> dict[bytes, tuple[object, ...]]:
        groups = dataset.PerFrameFunctionalGroupsSequence
        return {
            picture.tobytes(): tuple(group.PlanePositionSequence[0].ImagePositionPatient)
            for picture, group in zip(dataset.pixel_array, groups, strict=True)
        }

    assert frames(after) == frames(before)
    contents = [
        [group.FrameContentSequence[0] for group in d.PerFrameFunctionalGroupsSequence] for d in (before, after)
    ]
    assert contents[0] == contents[1]
    if phases == 1:
        np.testing.assert_array_equal(after.pixel_array, fixed.array)
    again = read_dicom([written])
    assert again.metadata.numbered == -volume.metadata.numbered


def test_slices_spread_over_files_of_several_frames_are_refused(stack: list[FileDataset], tmp_path: Path) -> None:
    files = [cases.enhanced(stack[:1] + stack[1:2]), cases.enhanced(stack[2:])]
    files[1].SeriesInstanceUID = files[0].SeriesInstanceUID
    volume = read_dicom(cases.save_all(files, tmp_path / "in"))
    assert volume.array.shape[-3] == 4
    fixed = volume.reindexed(*[plan(0, 0).pixels] * 2, slices=True, slice_direction=True, renumber=True)
    with pytest.raises(CMROrientError, match="keep the slice order"):
        write_dicom(fixed, tmp_path / "out")
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())
