"""DICOM files of the synthetic heart."""

from __future__ import annotations

from pathlib import Path

import dicom_cases as cases
import numpy as np
from pydicom import FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import MRImageStorage, generate_uid

from CMROrientLib.phantom.phantom import make_phantom

#: Columns and rows: large enough for the network.
SIZE = (130, 160)


def phantom_files(
    folder: Path, orientation: int = 2, header: str = "true", slices: int = 5, phases: int = 1
) -> list[Path]:
    """A DICOM series of the synthetic heart, a file for each slice and phase; written by pydicom alone."""
    volume = make_phantom(size=SIZE, slices=slices, phases=phases, orientation=orientation, header=header)
    stack = volume.array if volume.array.ndim == 4 else volume.array[None]
    grid, (study, series, place_of) = volume.grid, (generate_uid() for _ in range(3))
    directions, written = grid.directions, []
    for phase, slices_of_phase in enumerate(stack):
        for k, pixels in enumerate(slices_of_phase):
            dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
            dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, generate_uid()
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = study, series, "MR"
            dataset.PatientName, dataset.PatientID = "Phantom", "phantom"
            dataset.SeriesDescription, dataset.SeriesNumber = "SAX", 3
            dataset.InstanceNumber, dataset.PhotometricInterpretation = k * len(stack) + phase + 1, "MONOCHROME2"
            dataset.FrameOfReferenceUID, dataset.TriggerTime = place_of, 40.0 * phase
            dataset.ImageType = ["ORIGINAL", "PRIMARY"]
            dataset.PixelSpacing = [grid.spacing[1], grid.spacing[0]]
            dataset.SliceThickness = grid.spacing[2]
            place = np.array(grid.origin) + k * grid.spacing[2] * directions[:, 2]
            dataset.ImagePositionPatient = [f"{value:.6f}" for value in place]
            dataset.ImageOrientationPatient = [f"{value:.8f}" for value in directions[:, :2].T.ravel()]
            cases.put_pixels(dataset, np.ascontiguousarray(pixels.astype(np.uint16)))
            written.append(cases.save(dataset, folder / f"im{k:02d}_{phase:02d}.dcm"))
    return written
