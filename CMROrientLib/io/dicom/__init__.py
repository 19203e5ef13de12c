"""DICOM: which files are images, reading them as volumes, and writing derived series."""
