"""Draw the picture of the README: synthetic hearts as stored and in standard orientation.

``python draw_before_after.py FILE.png``. It needs no network: how the phantom is stored is known.
"""

from __future__ import annotations

import sys
from pathlib import Path

from CMROrientLib import correct
from CMROrientLib.demo.picture import Pair, draw_pairs
from CMROrientLib.demo.study import CASES

SHOWN = ("person-1/cine.nii.gz", "person-1/lge.nrrd", "person-2/t2.nrrd", "person-2/bssfp.mha")
SHOWN += ("person-4/lge.mhd", "person-4/t2.nii.gz")


def main(path: Path) -> None:
    """Write the picture."""
    pairs = []
    for case in CASES:
        if case.name in SHOWN:
            stored, _ = case.make()
            pairs.append(Pair(f"{case.sequence}, {case.orientation.label}", stored, correct(stored, case.orientation)))
    draw_pairs(pairs, path, "As stored, and as CMROrient writes it (synthetic hearts)")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
