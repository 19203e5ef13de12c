"""Back to DICOM: the derived series in the database, with pydicom as judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_scene import by_source, imported, judge, load_cine, load_stack, opened_database, turned_files  # noqa: F401
from phantom_dicom import phantom_files
from pydicom import dcmread
from slicer_host import add_volume, application, scene, slicer, voxels  # noqa: F401

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml import session
from CMROrientLib.mrml.dicom_series import dicom_series, save_series, why_no_series
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom

pytestmark = [pytest.mark.usefixtures("scene"), pytest.mark.filterwarnings("ignore:Invalid value for VR")]


def take(database: Any, folder: Path) -> None:
    from DICOMLib import DICOMUtils

    DICOMUtils.importDicom(str(folder), database, True)


def save(database: Any, node: Any, orientation: int | None, **options: Any) -> Any:
    chosen = None if orientation is None else Orientation(orientation)
    series = dicom_series(node, database, chosen, **options)
    return save_series(series, database, lambda folder: take(database, folder))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("k", [1, 2, 5, 7])
def test_a_real_stack_goes_back_as_a_derived_series(data_root: Path, database: Any, tmp_path: Path, k: int) -> None:
    sources = turned_files(data_root, tmp_path / "in", k)
    imported(database, tmp_path / "in")
    before = contents(tmp_path / "in")
    saved = save(database, load_stack(sources), k)
    judge(database, saved, sources, k)
    assert not saved.known and contents(tmp_path / "in") == before


def test_nothing_is_left_in_the_temporary_folder(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    imported(database, phantom_files(tmp_path / "in")[0].parent)
    node = load_stack(sorted((tmp_path / "in").iterdir()))
    save(database, node, 2)
    with pytest.raises(CMROrientError, match="did not take"):
        save_series(dicom_series(node, database, Orientation(3)), database, lambda _folder: None)
    assert not list((tmp_path / "temporary").iterdir())


def test_the_result_of_correct_goes_back_by_what_it_says_of_itself(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in", orientation=5)
    imported(database, tmp_path / "in")
    node = load_stack(sources)
    made = session.correct(session.decide(node, 5), session.decide(node, 5).recognition, "follow")
    assert made.node.GetAttribute("DICOM.instanceUIDs") is None
    saved = save(database, made.node, None)
    judge(database, saved, sources, 5)
    corrected = by_source(database, saved.series)
    # Under follow no pixel moves in the patient: the frame of reference stays, and the first pixel is where it was.
    for path in sources:
        source = dcmread(path)
        assert corrected[str(source.SOPInstanceUID)].FrameOfReferenceUID == source.FrameOfReferenceUID


def test_loaded_again_it_is_what_correct_wrote(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in", orientation=2)
    imported(database, tmp_path / "in")
    node = load_stack(sources)
    made = session.correct(session.decide(node, 2), session.decide(node, 2).recognition)
    saved = save(database, made.node, None)
    again = load_stack([Path(path) for path in database.filesForSeries(saved.series)], "again")
    assert np.array_equal(voxels(again), voxels(made.node)) or np.array_equal(voxels(again)[::-1], voxels(made.node))


def test_a_cine_goes_back_from_its_proxy_and_from_its_result(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in", orientation=3, slices=1, phases=4)
    imported(database, tmp_path / "in")
    proxy, sequence, _browser = load_cine(sources)
    saved = save(database, proxy, 3)
    judge(database, saved, sources, 3)
    made = session.correct(session.decide(sequence, 3), session.decide(sequence, 3).recognition)
    for node in (made.node, made.sequence):
        again = save(database, node, None)
        assert again.known and again.series == saved.series


def test_instances_that_only_the_subject_hierarchy_knows(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in")
    imported(database, tmp_path / "in")
    node = load_stack(sources)
    instances = node.GetAttribute("DICOM.instanceUIDs")
    node.RemoveAttribute("DICOM.instanceUIDs")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    hierarchy.SetItemUID(item, slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMInstanceUIDName(), instances)
    judge(database, save(database, node, 2), sources, 2)


def test_saved_twice_it_is_there_once(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in")
    imported(database, tmp_path / "in")
    node = load_stack(sources)
    first, second = save(database, node, 2), save(database, node, 2)
    assert first.series == second.series and second.known and not first.known
    assert len(database.filesForSeries(first.series)) == len(sources)


def test_what_did_not_come_from_dicom_says_what_to_do(database: Any) -> None:
    node = add_volume(make_phantom(size=(60, 60), slices=3), "file")
    assert "File, Save Data" in why_no_series(node, database)
    with pytest.raises(CMROrientError, match="not loaded from Slicer's DICOM database"):
        dicom_series(node, database, Orientation(2))


def test_a_database_that_is_closed_or_has_lost_files_says_so(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in")
    imported(database, tmp_path / "in")
    node = load_stack(sources)
    assert why_no_series(node, database) is None
    assert "not open" in why_no_series(node, None)
    sources[3].unlink()
    with pytest.raises(CMROrientError, match="1 of the 5"):
        dicom_series(node, database, Orientation(2))
    sources[0].unlink(), sources[4].unlink()
    assert "3 of the 5" in why_no_series(node, database)
    database.closeDatabase()
    assert "not open" in why_no_series(node, database)


def test_a_volume_that_was_edited_or_cropped_is_not_written(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in")
    imported(database, tmp_path / "in")
    edited = load_stack(sources)
    slicer.util.arrayFromVolume(edited)[2, 40:80, 40:80] = 0
    with pytest.raises(CMROrientError, match="cropped, resampled or edited"):
        dicom_series(edited, database, Orientation(2))
    cropped = add_volume(make_phantom(size=(60, 60), slices=5), "cropped")
    cropped.SetAttribute("DICOM.instanceUIDs", edited.GetAttribute("DICOM.instanceUIDs"))
    with pytest.raises(CMROrientError, match="cropped, resampled or edited"):
        dicom_series(cropped, database, Orientation(2))


def test_a_result_without_its_source_says_so(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in")
    imported(database, tmp_path / "in")
    node = load_stack(sources)
    made = session.correct(session.decide(node, 2), session.decide(node, 2).recognition)
    twice = session.correct(session.decide(made.node, 3), session.decide(made.node, 3).recognition)
    assert "more than once" in why_no_series(twice.node, database)
    slicer.mrmlScene.RemoveNode(node)
    assert "no longer in the scene" in why_no_series(made.node, database)


def test_nothing_to_correct_writes_nothing(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in", orientation=0)
    imported(database, tmp_path / "in")
    with pytest.raises(CMROrientError, match="nothing to correct"):
        dicom_series(load_stack(sources), database, Orientation(0))
    with pytest.raises(CMROrientError, match="nothing was decided"):
        dicom_series(load_stack(sources), database)


def test_a_cancel_or_a_failing_import_leaves_the_database_as_it_was(database: Any, tmp_path: Path) -> None:
    sources = phantom_files(tmp_path / "in")
    imported(database, tmp_path / "in")
    node = load_stack(sources)
    before = contents(tmp_path / "database")

    class Stop(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise Stop

    def half(folder: Path) -> None:
        for path in sorted(folder.rglob("*.dcm"))[:2]:
            database.insert(path, True)

    with pytest.raises(Stop):
        dicom_series(node, database, Orientation(2), progress=stop)
    series = dicom_series(node, database, Orientation(2))
    with pytest.raises(Stop):
        save_series(series, database, lambda folder: take(database, folder), stop)
    with pytest.raises(CMROrientError, match="did not take"):
        save_series(series, database, half)
    assert contents(tmp_path / "database").keys() == before.keys()
