"""Images for the tests of ``io``, written by other people's code, and where they say voxels lie."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"]
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def direction_matrix(rotation, left_handed=False):
    """(3, 3) direction cosines from a rotation vector."""
    matrix = Rotation.from_rotvec(rotation).as_matrix()
    if left_handed:
        matrix[:, 2] *= -1
    return matrix


def write_with_itk(path: Path, array, spacing, origin, direction) -> Path:
    """Write ``array[(phase,) k, j, i]`` with SimpleITK; spacing, origin and direction of three axes (LPS)."""
    image = sitk.GetImageFromArray(array, isVector=False)
    matrix = np.eye(array.ndim)
    matrix[:3, :3] = direction
    image.SetSpacing([*map(float, spacing), 2.0][: array.ndim])
    image.SetOrigin([*map(float, origin), 0.0][: array.ndim])
    image.SetDirection(matrix.ravel().tolist())
    sitk.WriteImage(image, str(path), useCompression=path.suffix == ".gz")
    return path


def places_with_itk(path: Path) -> dict[int, np.ndarray]:
    """Where SimpleITK says that each voxel lies (LPS, mm), by its value; values must differ."""
    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayFromImage(image)
    return {
        int(array[index[::-1]]): np.array(image.TransformIndexToPhysicalPoint(index)[:3])
        for index in itertools.product(*map(range, image.GetSize()))
    }


def places_with_nibabel(path: Path, affine=None) -> dict[int, np.ndarray]:
    """The same by nibabel (its own choice of sform and qform, or ``affine`` in RAS)."""
    image = nibabel.load(path)
    affine = image.affine if affine is None else affine
    array = image.dataobj.get_unscaled()
    return {
        int(value): (RAS_FROM_LPS @ affine @ [*[*index, 0, 0][:3], 1.0])[:3] for index, value in np.ndenumerate(array)
    }


def furthest(places, others) -> float:
    """Largest distance (mm) between two sets of places, which must hold the same voxels."""
    assert places.keys() == others.keys()
    return max(float(np.linalg.norm(places[value] - others[value])) for value in places)


def extremes(dtype, shape=(3, 4, 5)):
    """Random values with the ends of the type's range among them."""
    dtype = np.dtype(dtype)
    bits = np.random.default_rng(5).bytes(int(np.prod(shape)) * dtype.itemsize)
    array = np.frombuffer(bits, dtype).reshape(shape).copy()
    if dtype.kind == "f":
        array = np.nan_to_num(array.astype(dtype))
        array.flat[:4] = np.nan, np.inf, -np.inf, np.finfo(dtype).tiny
    else:
        array.flat[:2] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return array


NRRD_LINES = """# a comment, kept
Content:=a key with the name of a field
type: short
dimension: 4
space: RAS
sizes: 5 6 3 2
thicknesses: 0.5 0.6 NaN NaN
space directions: (1.25,0.5,0.1) (-0.2,1.5,0.3) (0.5,-1,7) none
centerings: cell node cell ???
kinds: domain space domain list
labels: "left to right" "top \\"down\\"" "base" ""
units: "a" "b" "c" "ms"
spacings: nan nan nan 31.5
endian: big
encoding: ENCODING
space units: "mm" "mm" "mm"
space origin: (11.5,-2,30)
measurement frame: (1,0,0) (0,0,1) (0,1,0)
content: heart, gauß
sample units: "a.u."
old min: -3
number: 17
a field of tomorrow: 5
modality:=MR
DWMRI_gradient_0000:=0 0 1
multi word key:=a := b: c
"""


def nrrd_file(path, encoding="raw", lines=NRRD_LINES, array=None):
    """Write a NRRD by hand, with all the fields that libraries lose; arrays are [phase, k, j, i]."""
    array = extremes("int16", (2, 3, 6, 5)) if array is None else array
    raw = array.astype(">i2").tobytes()
    text = "\n".join(" ".join(map(str, line)) for line in array.reshape(-1, array.shape[-1])).encode()
    data = {
        "raw": raw,
        "gzip": gzip.compress(raw),
        "bzip2": __import__("bz2").compress(raw),
        "ascii": text,
        "hex": raw.hex().encode(),
    }[encoding]
    head = ("NRRD0005\n" + lines.replace("ENCODING", encoding)).encode()
    if path.suffix == ".nhdr":
        path.with_suffix(".bin").write_bytes(data)
        path.write_bytes(head + f"data file: {path.stem}.bin\n".encode())
    else:
        path.write_bytes(head + b"\n" + data)
    return array


META_LINES = """ObjectType = Image
NDims = 3
Comment = breath hold, gauß
BinaryData = True
BinaryDataByteOrderMSB = True
CompressedData = False
TransformMatrix = MATRIX
Offset = 11.5 -2 30
CenterOfRotation = 0 0 0
AnatomicalOrientation = RAI
ElementSize = 1.1 1.2 6
ElementSpacing = 1.25 1.5 8
DimSize = 5 6 3
Modality = MET_MOD_MR
SequenceID = 1 2 3 4
ElementMin = -3
ElementType = MET_SHORT
MyOwnKey = kept = as it is
ElementDataFile = LOCAL
"""
