"""Damaged and absurd DICOM files: one clear sentence that names the file, never anything else."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import dicom_cases as cases
import numpy as np
import pytest
from pydicom import FileDataset, dcmread
from pydicom.encaps import encapsulate, generate_frames

import CMROrientLib as cmr
from CMROrientLib.errors import CMROrientError
from CMROrientLib.io import find, read_source
from CMROrientLib.io.dicom.codestream import stream_size
from CMROrientLib.io.dicom.find import group
from CMROrientLib.io.dicom.read import read_dicom
from CMROrientLib.io.dicom.write import write_dicom
from CMROrientLib.orientation import Orientation

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:.*:UserWarning:pydicom")


@pytest.fixture
def dataset(data_root: Path) -> FileDataset:
    return cases.people(data_root, count=1)[0]


def _refused(path: Path, words: str) -> None:
    sources = group([path])
    assert len(sources) == 1
    with pytest.raises(CMROrientError, match=words) as caught:
        read_source(sources[0])
    assert path.name in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(CMROrientError):
        cmr.read(path)


@pytest.mark.parametrize("syntax", ["explicit", "deflated", "RLE", "JPEG-LS", "JPEG 2000", "JPEG lossless SV1"])
def test_files_that_are_cut_off(dataset: FileDataset, tmp_path: Path, syntax: str) -> None:
    path = cases.save(dataset, tmp_path / "a.dcm", cases.LOSSLESS[syntax])
    whole = path.read_bytes()
    for share in (0.97, 0.6, 0.2):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(CMROrientError, match=r"a\.dcm"):
            read_source(group([path])[0])


@pytest.mark.parametrize("syntax", ["JPEG lossless", "JPEG lossless SV1", "JPEG-LS", "JPEG 2000"])
def test_streams_that_claim_another_size(dataset: FileDataset, tmp_path: Path, syntax: str) -> None:
    # A decoder would believe them, and ask for gigabytes.
    path = cases.save(dataset, tmp_path / "a.dcm", cases.LOSSLESS[syntax])
    broken = dcmread(path)
    (stream,) = generate_frames(broken.PixelData, number_of_frames=1)
    assert stream_size(stream) == (cases.ROWS, cases.COLUMNS)
    true, false = (cases.ROWS, cases.COLUMNS), (65000, 64999)
    if syntax == "JPEG 2000":
        claimed = stream.replace(struct.pack(">2I", *true[::-1]), struct.pack(">2I", *false[::-1]), 1)
    else:
        claimed = stream.replace(struct.pack(">2H", *true), struct.pack(">2H", *false), 1)
    assert stream_size(claimed) == false
    broken.PixelData = encapsulate([claimed])
    broken.save_as(path)
    _refused(path, "that the header names")


@pytest.mark.parametrize("stream", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xe0", b"\xff\x4f\xff\x51\0", b"text"])
def test_streams_without_a_size(stream: bytes) -> None:
    assert stream_size(stream) is None


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"Rows": 0}, "0 rows"),
        ({"Columns": 0}, "0 columns|0 × "),
        ({"Rows": 60000}, "damaged|cannot be read"),
        ({"BitsAllocated": 12}, "12 bits"),
        ({"BitsStored": 17}, "damaged"),
        ({"HighBit": 3}, "damaged"),
        ({"NumberOfFrames": 5}, "damaged|cannot be read"),
        ({"NumberOfFrames": 2_000_000_000}, "frames"),
        ({"PixelData": None}, "no pixel data"),
    ],
)
def test_headers_that_cannot_be_true(dataset: FileDataset, tmp_path: Path, attributes: dict, words: str) -> None:
    path = cases.save(dataset, tmp_path / "a.dcm")
    broken = dcmread(path)
    for keyword, value in attributes.items():
        if value is None:
            del broken[keyword]
        else:
            setattr(broken, keyword, value)
    broken.save_as(path)
    _refused(path, words)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImagePositionPatient", ["nan", "0", "0"]),
        ("ImagePositionPatient", ["1", "2"]),
        ("ImageOrientationPatient", ["1", "0", "0"]),
        ("ImageOrientationPatient", ["a", "b", "c", "d", "e", "f"]),
        ("PixelSpacing", ["0", "0"]),
        ("PixelSpacing", ["-1", "2"]),
        ("PixelSpacing", ["1"]),
        ("SliceLocation", ["?"]),
        ("InstanceNumber", ["one"]),
        ("NumberOfFrames", [""]),
        ("TriggerTime", ["soon"]),
        ("SeriesNumber", ["1.5e99"]),
    ],
)
def test_nonsense_beside_the_pixels_does_not_hide_them(
    dataset: FileDataset, tmp_path: Path, keyword: str, value: list
) -> None:
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    path = cases.save(dataset, tmp_path / "a.dcm")
    broken = dcmread(path)
    tag = Tag(tag_for_keyword(keyword))
    raw = "\\".join(value).encode()
    raw += b" " * (len(raw) % 2)
    broken[tag] = RawDataElement(tag, dictionary_VR(tag), len(raw), raw, 0, False, True)
    broken.save_as(path)
    volume = read_dicom([path])
    np.testing.assert_array_equal(volume.array[0], dataset.pixel_array)
    (written,) = write_dicom(volume.reindexed(Orientation(5), Orientation(5)), tmp_path / "b.dcm")
    np.testing.assert_array_equal(dcmread(written).pixel_array, np.rot90(dataset.pixel_array, -1))


def test_things_that_are_not_dicom(tmp_path: Path) -> None:
    for name, content in {"text.dcm": b"this is a text\n" * 20, "empty.dcm": b"", "short.dcm": b"\0" * 131}.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CMROrientError, match=name.replace(".", r"\.")):
            cmr.read(path)


def test_unreadable_paths(tmp_path: Path) -> None:
    with pytest.raises(CMROrientError, match=r"gone\.dcm"):
        read_dicom([tmp_path / "gone.dcm"])
    with pytest.raises(CMROrientError):
        read_dicom([tmp_path])
    with pytest.raises(CMROrientError, match="no DICOM files"):
        read_dicom([])


def _fuzzed(data: bytes, seed: int, start: int) -> bytes:
    """Some bytes changed, taken out or doubled, after ``start``."""
    dice = random.Random(seed)
    broken = bytearray(data)
    for _ in range(dice.choice([1, 3, 20])):
        place = dice.randrange(start, len(broken))
        length = dice.choice([1, 1, 2, 8])
        action = dice.randrange(4)
        if action == 0:
            broken[place] = dice.randrange(256)
        elif action == 1:
            del broken[place : place + length]
        elif action == 2:
            broken[place:place] = broken[place : place + length]
        else:
            broken[place : place + length] = dice.choice([b"\xff", b"\0"]) * length
    return bytes(broken)


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "RLE", "enhanced"])
def test_fuzzed_files_are_read_or_refused(data_root: Path, tmp_path: Path, syntax: str) -> None:
    stack = cases.people(data_root, count=2)
    dataset = cases.enhanced(stack) if syntax == "enhanced" else stack[0]
    cases.put_pixels(dataset, dataset.pixel_array[..., :24, :20])
    path = cases.save(dataset, tmp_path / "a.dcm", cases.LOSSLESS.get(syntax, cases.LOSSLESS["explicit"]))
    data = path.read_bytes()
    header = data.find(b"\xe0\x7f\x10\x00")
    outcomes = {"read": 0, "refused": 0}
    for seed in range(150):
        # Most of the harm goes into the header, where the meaning is.
        broken = _fuzzed(data[:header], seed, 132) + data[header:] if seed % 4 else _fuzzed(data, seed, 132)
        path.write_bytes(broken)
        try:
            for source in find(path):
                if source.left_alone is None:
                    volume = read_source(source)
                    write_dicom(volume.reindexed(Orientation(5), Orientation(2)), tmp_path / "out.dcm")
            outcomes["read"] += 1
        except CMROrientError as error:
            assert "a.dcm" in str(error) or "out.dcm" in str(error) or str(tmp_path) in str(error)
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5, f"the fuzzing is too weak or too strong: {outcomes}"
