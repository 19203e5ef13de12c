"""Runs as ``Slicer --no-main-window --python-script``: a folder and a DICOM series are corrected, the status tells.

Left out with its reason where there is no ONNX Runtime, or a package that works on files is missing or too old, as
pydicom in Slicer 5.10; fails there, too, where the environment variable
CMRORIENT_TEST_REQUIRE_ALL is set. Any other error ends with a status other than 0.
"""

import sys
import tempfile
import traceback
import unittest
from pathlib import Path


def check() -> None:
    """Correct a small study of the synthetic heart by the command that scripts use."""
    import slicer

    if slicer.app.layoutManager() is not None:
        raise AssertionError("this test is about Slicer without a main window")
    import numpy as np
    from CMROrientPanel.self_test import need_onnx_runtime, need_packages_of_files, phantom_node

    from CMROrient import CMROrientLogic
    from CMROrientLib import io as files
    from CMROrientLib.orientation import Orientation
    from CMROrientLib.phantom.phantom import make_phantom
    from CMROrientLib.slicer_cli import main

    need_onnx_runtime()
    need_packages_of_files()
    check_dicom()
    with tempfile.TemporaryDirectory() as folder:
        study, out = Path(folder) / "in", Path(folder) / "out"
        study.mkdir()
        for orientation in (Orientation.FLIP_VERTICAL, Orientation.ROTATE_90):
            files.write(make_phantom(orientation=orientation), study / f"{orientation.value}.nii.gz")
        status = main(["--", "correct", str(study), "-o", str(out), "--jobs", "2"])
        if status != 0:
            raise AssertionError(f"the command ended with {status}")
        for path in study.iterdir():
            if not np.array_equal(files.read(out / path.name).array, make_phantom().array):
                raise AssertionError(f"{path.name} did not come back")
        if main(["--", "correct", str(study / "missing"), "-o", str(out)]) == 0:
            raise AssertionError("a missing input ended with 0")
    made = CMROrientLogic().correct(phantom_node(Orientation.FLIP_VERTICAL))
    if made.node is None:
        raise AssertionError("the logic wrote no node")


def check_dicom() -> None:
    """Correct a DICOM series of the synthetic heart; pydicom alone writes it and reads what came of it."""
    import numpy as np
    import pydicom

    from CMROrientLib.orientation import Orientation
    from CMROrientLib.phantom.phantom import make_phantom
    from CMROrientLib.slicer_cli import main

    stored = make_phantom(size=(160, 192), slices=5, orientation=Orientation.FLIP_VERTICAL)
    standard = make_phantom(size=(160, 192), slices=5).array
    with tempfile.TemporaryDirectory() as folder:
        series, out = Path(folder) / "in", Path(folder) / "out"
        series.mkdir()
        written = write_dicom(stored, series)
        status = main(["--", "correct", str(series), "-o", str(out)])
        if status != 0:
            raise AssertionError(f"the command ended with {status} on a DICOM series")
        made = [pydicom.dcmread(path) for path in out.rglob("*.dcm")]
        if len(made) != len(written):
            raise AssertionError(f"{len(made)} DICOM files of {len(written)} were written")
        for image in made:
            source = str(image.SourceImageSequence[0].ReferencedSOPInstanceUID)
            if not np.array_equal(image.pixel_array, standard[written[source]]):
                raise AssertionError(f"slice {written[source]} did not come back from DICOM")


def write_dicom(volume, folder: Path) -> dict:
    """A file for each slice; the slices by their instances' identity."""
    import numpy as np
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    grid, found = volume.grid, {}
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for index, pixels in enumerate(volume.array):
        identity = generate_uid()
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, identity
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image = FileDataset("", {}, preamble=bytes(128), file_meta=meta)
        image.SOPClassUID, image.SOPInstanceUID, image.Modality = MRImageStorage, identity, "MR"
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
        image.PatientName, image.PatientID, image.StudyID = "Phantom^Synthetic", "phantom", "1"
        image.PatientBirthDate = image.PatientSex = image.StudyDate = image.StudyTime = ""
        image.SeriesDescription, image.SeriesNumber, image.InstanceNumber = "sax", 1, index + 1
        image.ScanningSequence, image.SequenceVariant, image.ScanOptions = "GR", "SS", ""
        image.MRAcquisitionType, image.ImageType = "2D", ["ORIGINAL", "PRIMARY", "OTHER"]
        image.SliceThickness = image.SpacingBetweenSlices = f"{grid.spacing[2]:.6g}"
        image.PixelSpacing = [f"{grid.spacing[1]:.6g}", f"{grid.spacing[0]:.6g}"]
        image.ImageOrientationPatient = [f"{value:.9f}" for value in grid.directions[:, :2].T.ravel()]
        place = grid.affine @ np.array([0, 0, index, 1])
        image.ImagePositionPatient = [f"{value:.6f}" for value in place[:3]]
        image.Rows, image.Columns = pixels.shape
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
        image.PixelData = np.ascontiguousarray(pixels, "<i2").tobytes()
        pydicom.dcmwrite(folder / f"{index}.dcm", image, enforce_file_format=True)
        found[str(identity)] = index
    return found


if __name__ == "__main__":
    try:
        check()
    except unittest.SkipTest as reason:
        print(f"skipped: {reason}")
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    sys.exit(0)
