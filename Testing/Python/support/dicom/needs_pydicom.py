"""Imported first by tests of DICOM: they are left out, with the reason, where pydicom is older than the code needs."""

import parts

from CMROrientLib.mrml.requirements import FOR_FILES

parts.need_package("pydicom", FOR_FILES["pydicom"])
