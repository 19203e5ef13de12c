"""Draw the README's picture of the report: synthetic hearts, corrected by the bundled model.

``python draw_report.py FILE.png``. It needs Chromium and no network.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from CMROrientLib.folders import correct_folder
from CMROrientLib.io import write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Testing" / "Python" / "support"))
from browser import open_browser

SIZE = (1280, 1240)

#: Sequence, stored orientation, what the header is worth.
CASES = (
    ("LGE", Orientation.FLIP_HORIZONTAL, "false"),
    ("bSSFP", Orientation.ROTATE_180, "true"),
    ("T2", Orientation.ROTATE_90, "true"),
    ("bSSFP", Orientation.IDENTITY, "true"),
    ("LGE", Orientation.FLIP_VERTICAL, "empty"),
    ("T2", Orientation.ANTI_TRANSPOSE, "true"),
)


def main(path: Path) -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        # The page shows the command as it was typed, with no path of this machine.
        os.chdir(folder)
        for number, (sequence, orientation, header) in enumerate(CASES, start=1):
            volume = make_phantom(sequence, seed=number, orientation=orientation, header=header)  # type: ignore[call-overload]
            write(volume, Path("study") / f"person-{number}" / f"{sequence.lower()}.nii.gz")
        noise = np.random.default_rng(0).rayleigh(80, volume.array.shape).astype(np.int16)
        write(Volume(noise, volume.grid), Path("study") / "person-7" / "noise-scan.nii.gz")
        (Path("study") / "person-7" / "cine.nrrd").write_bytes(b"NRRD0004\ntype: short\n")
        correct_folder("study", "standard", command="cmrorient correct study/ -o standard/")
        with open_browser() as browser:
            browser.open(Path("standard") / "cmrorient.html", size=SIZE)
            picture = Image.open(io.BytesIO(browser.screenshot()))
        os.chdir(path.parent)
    # 128 colours are enough for grey hearts and a few tones, and a third of the size.
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).absolute())
