"""The demo: a synthetic study in all eight orientations, corrected, and checked against the truth."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CMROrientError, UsageError
from ..io import read, write
from ..orientation import Orientation
from ..phantom.phantom import HeaderKind, Sequence, make_phantom
from ..run.record import Record
from ..run.tables import JSONL_NAME
from ..volume import Volume
from .picture import Pair

STUDY, CORRECTED, PICTURE = "study", "corrected", "before-after.png"
MASK = "_seg"


@dataclass(frozen=True)
class DemoVolume:
    """One volume of the study.

    Parameters
    ----------
    name:
        Its path in the study.
    person:
        The phantom's seed.
    orientation, header:
        How it is stored, and what its header is worth.
    phases:
        More than one for a cine.
    """

    name: str
    person: int
    sequence: Sequence
    orientation: Orientation
    header: HeaderKind
    phases: int = 1

    @property
    def mask_name(self) -> str:
        """The path of its mask in the study."""
        stem, dot, suffix = self.name.partition(".")
        return f"{stem}{MASK}{dot}{suffix}"

    def make(self, orientation: Orientation | None = None) -> tuple[Volume, Volume]:
        """Image and mask as stored, or in another orientation with the same kind of header."""
        return make_phantom(
            self.sequence,
            slices=9 if self.phases == 1 else 4,
            phases=self.phases,
            seed=self.person,
            orientation=self.orientation if orientation is None else orientation,
            header=self.header,
            with_mask=True,
        )


CASES = (
    DemoVolume("person-1/cine.nii.gz", 1, "bSSFP", Orientation.FLIP_VERTICAL, "true", phases=10),
    DemoVolume("person-1/lge.nrrd", 1, "LGE", Orientation.ROTATE_90, "true"),
    DemoVolume("person-1/t2.mha", 1, "T2", Orientation.FLIP_HORIZONTAL, "false"),
    DemoVolume("person-2/bssfp.mha", 2, "bSSFP", Orientation.TRANSPOSE, "empty"),
    DemoVolume("person-2/lge.nii.gz", 2, "LGE", Orientation.IDENTITY, "true"),
    DemoVolume("person-2/t2.nrrd", 2, "T2", Orientation.ROTATE_180, "true"),
    DemoVolume("person-3/bssfp.nii", 3, "bSSFP", Orientation.ANTI_TRANSPOSE, "true"),
    DemoVolume("person-3/lge.mha", 3, "LGE", Orientation.ROTATE_270, "empty"),
    DemoVolume("person-3/t2.nii.gz", 3, "T2", Orientation.FLIP_VERTICAL, "true"),
    DemoVolume("person-4/bssfp.nrrd", 4, "bSSFP", Orientation.ROTATE_180, "false"),
    DemoVolume("person-4/lge.mhd", 4, "LGE", Orientation.FLIP_HORIZONTAL, "true"),
    DemoVolume("person-4/t2.nii.gz", 4, "T2", Orientation.TRANSPOSE, "empty"),
)


def write_study(folder: Path, cases: Many[DemoVolume]) -> None:
    """Write images and masks as stored."""
    for case in cases:
        image, mask = case.make()
        (folder / case.name).parent.mkdir(parents=True, exist_ok=True)
        write(image, folder / case.name)
        write(mask, folder / case.mask_name)


def check(case: DemoVolume, record: Record | None, corrected: Path) -> str:
    """What is wrong with one result; nothing where all is right.

    Recognized class, conflict, pixels, mask and geometry are held against the phantom as it was
    before it was turned.
    """
    if record is None:
        return "no record"
    if record.error is not None:
        return record.error
    if record.orientation != case.orientation:
        return f"recognized as {record.orientation}"
    if record.decision not in ("standard", "reoriented"):
        return str(record.decision)
    turned_alone = case.header == "false" and case.orientation is not Orientation.IDENTITY
    if record.conflict != turned_alone:
        return "conflict not named" if turned_alone else "conflict where there is none"
    for name, truth in zip((case.name, case.mask_name), case.make(Orientation.IDENTITY), strict=True):
        what = "mask" if name == case.mask_name else "image"
        try:
            result = read(corrected / name)
        except CMROrientError as error:
            return f"{what} cannot be read: {error.message}"
        if result.array.dtype != truth.array.dtype or not np.array_equal(result.array, truth.array):
            return f"{what} differs"
        if case.header != "empty" and not np.allclose(result.grid.affine, truth.grid.affine, atol=1e-3):
            return f"{what} lies elsewhere"
        if not np.allclose(result.grid.spacing, truth.grid.spacing, atol=1e-4):
            return f"{what} has another spacing"
    return ""


def check_free(output: Path) -> None:
    """Raise ``UsageError`` where the folder holds something else than an earlier demo."""
    if output.exists() and not output.is_dir():
        raise UsageError("this is a file; give a folder for the demo", output)
    if output.is_dir() and any(output.iterdir()) and not (output / CORRECTED / JSONL_NAME).is_file():
        raise UsageError("this folder is not empty and holds no earlier demo; give a new one with -o", output)


def pair(case: DemoVolume, output: Path) -> Pair:
    """A volume as stored and as corrected, for the picture."""
    title = f"{case.name.partition('.')[0]}: {case.orientation.label}"
    after = output / CORRECTED / case.name
    return Pair(title, read(output / STUDY / case.name), read(after) if after.is_file() else None)
