"""The four ways in which version 1.0 lost a person's work, as the shortest sequences of its command line.

``CMRORIENT_OLD_PYTHON`` names the Python of an installed 1.0: each sequence then has to lose there what it
keeps here, which shows that they tell the one from the other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sample_study import environment, phantom, put

from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation

EDIT = b"edited by hand"


@dataclass(frozen=True)
class Product:
    """An installed version, and a place to try it in."""

    python: str
    place: Path

    def correct(self, *arguments: str) -> int:
        """Exit status of ``cmrorient correct``."""
        own = (
            environment()
            if self.python == sys.executable
            else {k: v for k, v in os.environ.items() if "PYTHON" not in k}
        )
        words = [self.python, "-m", "CMROrientLib", "correct", *arguments]
        return subprocess.run(words, cwd=self.place, env=own, capture_output=True, timeout=300).returncode

    def put(self, name: str, orientation: int = 5, seed: int = 0) -> None:
        image, mask = phantom(orientation, seed=seed, with_mask=True)
        put(image, self.place / f"{name}.nii")
        put(mask, self.place / f"{name}_seg.nii")


def forgotten_masks(product: Product) -> str | None:
    """Masks that are not named a second time stay in the old orientation beside their images."""
    product.put("study/a")
    product.correct("study", "-o", "out", "--min-confidence", "0.3", "--masks", "_seg")
    product.correct("study", "-o", "out", "--min-confidence", "0.3", "--target", "2")
    image, mask = phantom(0, with_mask=True)
    now = [read(product.place / "out" / name).array for name in ("a.nii", "a_seg.nii")]
    for k in Orientation:
        if np.array_equal(now[0], k.apply(image.array)) and np.array_equal(now[1], k.apply(mask.array)):
            return None
    return "image and mask are in two orientations"


def edited_output(product: Product) -> str | None:
    """A mask that was edited in the output folder is written anew."""
    product.put("study/a")
    command = ("study", "-o", "out", "--orientation", "5", "--masks", "_seg")
    product.correct(*command)
    (product.place / "out" / "a_seg.nii").write_bytes(EDIT)
    status = product.correct(*command)
    if (product.place / "out" / "a_seg.nii").read_bytes() != EDIT:
        return f"the edit is gone, status {status}"
    return None if status == 1 else "the edit is not named"


def two_people(product: Product) -> str | None:
    """The second person's image of one name replaces the first one's."""
    product.put("P/01/cine")
    product.put("P/02/cine", seed=1)
    product.correct("P/01", "-o", "out", "--orientation", "5")
    before = (product.place / "out" / "cine.nii").read_bytes()
    status = product.correct("P/02", "-o", "out", "--orientation", "5")
    if (product.place / "out" / "cine.nii").read_bytes() != before:
        return f"the first person's image is gone, status {status}"
    return None if status == 2 else "the second person is not refused"


def forgotten_decision(product: Product) -> str | None:
    """What a person decided is decided anew by the network."""
    product.put("study/a")
    product.correct("study", "-o", "out", "--orientation", "6")
    before = (product.place / "out" / "a.nii").read_bytes()
    product.correct("study", "-o", "out", "--min-confidence", "0")
    if (product.place / "out" / "a.nii").read_bytes() != before:
        return "the decided image is gone"
    record = (product.place / "out" / "cmrorient.jsonl").read_text(encoding="utf-8")
    return None if '"decided_by": "user"' in record else "the decision is gone"


SEQUENCES = [forgotten_masks, edited_output, two_people, forgotten_decision]


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_nothing_is_lost(sequence: Callable[[Product], str | None], tmp_path: Path) -> None:
    assert sequence(Product(sys.executable, tmp_path)) is None


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_version_1_0_loses_it(sequence: Callable[[Product], str | None], tmp_path: Path) -> None:
    python = os.environ.get("CMRORIENT_OLD_PYTHON")
    if python is None:
        pytest.skip("CMRORIENT_OLD_PYTHON names no Python with version 1.0")
    python = shutil.which(python)
    assert python is not None, "CMRORIENT_OLD_PYTHON is no program"
    lost = sequence(Product(python, tmp_path))
    print(f"{sequence.__name__}: {lost}")
    assert lost is not None
