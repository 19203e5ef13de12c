"""Cases of a data set as files: a synthetic heart and its label map, stored in one of the eight ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from CMROrientLib.io import write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume


def heart(stored: Orientation | int, *, seed: int = 0, header: str = "true") -> tuple[Volume, Volume]:
    """An image and its label map."""
    made = make_phantom(
        orientation=stored,
        slices=4,
        size=(112, 128),
        seed=seed,
        header=header,
        with_mask=True,  # type: ignore[arg-type]
    )
    assert isinstance(made, tuple)
    return made


def data_set(folder: Path, stored: list[int]) -> list[dict[str, str]]:
    """One case a class in the list: dictionaries of paths, ``image`` and ``label``."""
    cases = []
    for number, k in enumerate(stored):
        image, label = heart(k, seed=number)
        case = {"image": str(folder / f"case{number}.nii.gz"), "label": str(folder / f"case{number}_seg.nii.gz")}
        write(image, case["image"])
        write(label, case["label"])
        cases.append(case)
    return cases


def in_standard_orientation(label: np.ndarray) -> bool:
    """Whether the right ventricle lies left of the left one in a map ``[X, Y, Z]``: by anatomy, not by the library."""
    right, left = (np.argwhere(label == value).mean(axis=0) for value in RIGHT_AND_LEFT)
    across, down = (left - right)[:2]
    angle = np.degrees(np.arctan2(-down, across))
    return bool(-22 < angle < 68)


#: The label map's values of the right and the left ventricle.
RIGHT_AND_LEFT = (1, 3)
