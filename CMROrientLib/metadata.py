"""What a file says of an image beside its voxels and their grid, in every format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What every format answers; each has a class of its own for what only its writer needs.

    Parameters
    ----------
    scaling:
        Slope and intercept that turn the stored values into the real ones.
    shown_inverted:
        Whether small real values are meant to be shown bright (DICOM's MONOCHROME1).
    time_step:
        Seconds between two phases of a cine, None where unknown.
    description:
        Free text.
    scanner:
        Manufacturer and model, None where unknown.
    identifiers:
        What tells whose image it is, or when and why it was made, by DICOM's names where it has some. It goes
        into records only where a run is told so.
    notes:
        What is worth knowing of how the file was read, in sentences.
    """

    #: The format whose writer takes this back; empty where that is none.
    kind: ClassVar[str] = ""

    scaling: tuple[float, float] = (1.0, 0.0)
    shown_inverted: bool = False
    time_step: float | None = None
    description: str = ""
    scanner: str | None = None
    notes: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()

    @property
    def numbered(self) -> Literal[-1, 0, 1]:
        """Whether slices have numbers beside their places (DICOM), which grow (1) or fall (-1) along the volume.

        0 where their order in the file is all there is.
        """
        return 0

    @property
    def small_values_bright(self) -> bool:
        """Whether small stored values are meant to be shown bright; a falling slope makes it so, too."""
        return self.shown_inverted != (self.scaling[0] < 0)

    @property
    def caption(self) -> str:
        """The description in one line of printable characters."""
        return " ".join("".join(c if c.isprintable() else " " for c in self.description).split())

    def told_identifiers(self) -> dict[str, str]:
        """Everything that identifies, the free text among it, without what is empty."""
        known = dict(self.identifiers)
        if self.caption and self.caption not in known.values():
            known["Description"] = self.caption
        return {name: value for name, value in known.items() if value}

    def real_values(self, array: NDArray[Any]) -> NDArray[Any]:
        """Stored values with slope and intercept applied, for a format that has no place for these two."""
        slope, intercept = self.scaling
        if (slope, intercept) == (1.0, 0.0):
            return array
        with np.errstate(all="ignore"):
            real = array * np.float64(slope) + np.float64(intercept)
        # float32 tells the values of 16 bits apart, wider ones and huge slopes need float64.
        narrow = array.dtype.itemsize <= 2 or array.dtype == np.float32
        fits = np.abs(real[np.isfinite(real)]).max(initial=0) < np.finfo(np.float32).max
        return real.astype(np.float32) if narrow and fits else real

    def common(self) -> Metadata:
        """The same without what belongs to one format."""
        return Metadata(
            scaling=self.scaling,
            shown_inverted=self.shown_inverted,
            time_step=self.time_step,
            description=self.description,
            scanner=self.scanner,
            notes=self.notes,
            identifiers=self.identifiers,
        )


#: Of an image that no file says anything about.
NO_METADATA = Metadata()
