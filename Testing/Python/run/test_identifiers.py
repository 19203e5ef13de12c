"""Of headers only the scanner and the UID of a series enter what a run writes beside its images, unless it is told so.

Every text, date and identifier of the inputs is made up and told apart from all else; each is searched for in all files
that a run, an audit and a recognition write. Corrected images keep their headers, and are left out.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import nibabel
import numpy as np
import pytest
from phantom_dicom import phantom_files
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from sample_study import cmrorient, phantom, put

from CMROrientLib.run.record import schema

#: Of each kind of value that a header may hold about a person or an examination.
KEYWORDS = [
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientAddress",
    "PatientComments",
    "EthnicGroup",
    "AccessionNumber",
    "StudyID",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "SeriesDate",
    "SeriesTime",
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "InstanceCreationDate",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "PhysiciansOfRecord",
    "DeviceSerialNumber",
    "SoftwareVersions",
    "ImageComments",
    "RequestedProcedureDescription",
    "AdmissionID",
    "PerformedProcedureStepDescription",
    "FrameOfReferenceUID",
    "AcquisitionDateTime",
    "BodyPartExamined",
]

#: Values that are no text of their own.
_MADE = {
    "DA": "19030{n:03d}",
    "TM": "040302.7{n:03d}",
    "DT": "19030405040302.7{n:03d}",
    "AS": "{n:03d}W",
    "CS": "QX{n:03d}",
}

ALLOWED = {"Manufacturer": "Maker of scanners", "ManufacturerModelName": "Model Seven"}


def _value(keyword: str, n: int) -> str:
    kind = dictionary_VR(tag_for_keyword(keyword))
    if kind == "UI":
        return str(generate_uid())
    return _MADE.get(kind, "Zq{n:03d}xv").format(n=n + 101)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], str]:
    """(folder of inputs, each made value by its name, the UID of the series)."""
    folder = tmp_path_factory.mktemp("identifiers")
    made = {keyword: _value(keyword, n) for n, keyword in enumerate(KEYWORDS)}
    files = phantom_files(folder / "in" / "dicom", orientation=2, slices=3)
    for number, path in enumerate(files):
        dataset = dcmread(path)
        for name, value in {**made, **ALLOWED}.items():
            setattr(dataset, name, value)
        made[f"SOPInstanceUID {number}"] = str(dataset.SOPInstanceUID)
        nested = Dataset()
        nested.ScheduledProcedureStepDescription = made["nested"] = "Zq901xv"
        dataset.RequestAttributesSequence = Sequence([nested])
        dataset.private_block(0x0019, "SOMEBODY", create=True).add_new(1, "LO", "Zq902xv")
        dataset.save_as(path)
    made["private"] = "Zq902xv"
    image = put(phantom(orientation=3), folder / "in" / "nifti.nii.gz")
    loaded = nibabel.load(image)
    for field, value in (("descrip", b"Zq910xv"), ("aux_file", b"Zq911xv"), ("intent_name", b"Zq912xv")):
        loaded.header[field] = value
        made[field] = value.decode()
    nibabel.save(nibabel.Nifti1Image(np.asarray(loaded.dataobj), loaded.affine, loaded.header), image)
    nrrd = put(phantom(orientation=1), folder / "in" / "nrrd.nrrd")
    head, voxels = nrrd.read_bytes().split(b"\n\n", 1)
    nrrd.write_bytes(head + b"\ncontent: Zq920xv\nPatient:=Zq921xv\n# Zq922xv\n\n" + voxels)
    meta = put(phantom(orientation=5), folder / "in" / "meta.mha")
    meta.write_bytes(b"Comment = Zq930xv\nPatient = Zq931xv\n" + meta.read_bytes())
    (folder / "in" / "nifti.json").write_text(json.dumps({"PatientName": "Zq940xv", "AcquisitionTime": "Zq941xv"}))
    made |= {name: name for name in ["Zq920xv", "Zq921xv", "Zq922xv", "Zq930xv", "Zq931xv", "Zq940xv", "Zq941xv"]}
    return folder / "in", made, str(dcmread(files[0]).SeriesInstanceUID)


def _told(where: dict[str, bytes], made: dict[str, str]) -> list[str]:
    return [
        f"{name} in {file}" for file, text in where.items() for name, value in made.items() if value.encode() in text
    ]


def _beside_images(folder: Path) -> dict[str, bytes]:
    """All files that are no image and were not copied with one."""
    images = (".dcm", ".nii.gz", ".nrrd", ".mha")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(images)]
    return {path.name: path.read_bytes() for path in files if path.name != "nifti.json"}


def test_nothing_is_told_of_the_person(study: tuple[Path, dict[str, str], str], tmp_path: Path) -> None:
    source, made, series = study
    done = cmrorient("correct", source, "-o", tmp_path / "out", "--json")
    audit = cmrorient("audit", source, "-o", tmp_path / "audit.html", "--json")
    seen = cmrorient("recognize", source, "--json")
    in_words = cmrorient("recognize", source)
    said = {
        f"{name} {stream}": getattr(run, stream).encode()
        for name, run in (("correct", done), ("audit", audit), ("recognize", seen), ("words", in_words))
        for stream in ("out", "err")
    }
    written = {**_beside_images(tmp_path), **said}
    assert {"cmrorient.jsonl", "cmrorient.csv", "cmrorient.html", "cmrorient.sqlite", "audit.html"} <= set(written)
    assert _told(written, made) == []
    records = [json.loads(line) for line in (tmp_path / "out" / "cmrorient.jsonl").read_text().splitlines()]
    assert {record["path"] for record in records} >= {"dicom", "nifti.nii.gz", "nrrd.nrrd", "meta.mha"}
    (dicom,) = [record for record in records if record["path"] == "dicom"]
    assert dicom["scanner"] == "Maker of scanners Model Seven" and dicom["series"] == series
    assert all("identifiers" not in record for record in records)


def test_what_was_asked_for_is_in_the_record_and_goes_again(
    study: tuple[Path, dict[str, str], str], tmp_path: Path
) -> None:
    source, made, _series = study
    out = tmp_path / "out"

    def records(*options: str) -> dict[str, dict[str, object]]:
        cmrorient("correct", source, "-o", out, *options)
        lines = (out / "cmrorient.jsonl").read_text().splitlines()
        return {record["path"]: record for record in map(json.loads, lines)}

    told = records("--include-identifiers")
    for record in told.values():
        jsonschema.validate(record, schema())
    known = told["dicom"]["identifiers"]
    assert isinstance(known, dict)
    for name in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "StudyDate", "InstitutionName"):
        assert known[name] == made[name]
    assert told["nifti.nii.gz"]["identifiers"] == {"Description": "Zq910xv"}
    assert told["nrrd.nrrd"]["identifiers"] == {"Description": "Zq920xv"}
    # A run without it takes them out again, of every file.
    assert all("identifiers" not in record for record in records().values())
    assert _told(_beside_images(out), made) == []
