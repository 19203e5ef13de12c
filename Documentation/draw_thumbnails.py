"""Draw the pictures of the sample data: ``python Documentation/draw_thumbnails.py [FOLDER]``.

A middle slice of each, as stored, for the buttons of Slicer's module Sample Data.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from CMROrientLib.mrml.samples import SAMPLES
from CMROrientLib.recognition.slices import central_slice

#: Where Slicer looks for them.
FOLDER = Path(__file__).resolve().parents[1] / "CMROrient" / "Resources" / "Icons"

#: Width and height that Slicer recommends.
SIZE = (260, 280)


def main(folder: Path = FOLDER) -> list[Path]:
    """Write the pictures; returns their paths."""
    written = []
    for sample in SAMPLES:
        volume = sample.make()
        stack = volume.array if sample.phases == 1 else volume.array[0]
        image = stack[central_slice(len(stack))].astype(float)
        grey = np.uint8(np.clip(image / np.percentile(image, 99.5), 0, 1) * 255)
        picture = Image.fromarray(grey)
        picture.thumbnail(SIZE, Image.Resampling.LANCZOS)
        scale = min(SIZE[0] / picture.width, SIZE[1] / picture.height)
        size = round(picture.width * scale), round(picture.height * scale)
        whole = Image.new("L", SIZE)
        whole.paste(
            picture.resize(size, Image.Resampling.BICUBIC), ((SIZE[0] - size[0]) // 2, (SIZE[1] - size[1]) // 2)
        )
        path = folder / f"phantom-{sample.key}.png"
        whole.save(path, optimize=True)
        written.append(path)
    return written


if __name__ == "__main__":
    for made in main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(made)
