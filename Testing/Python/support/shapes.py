"""A data set to train on in seconds: shapes that tell the eight orientations apart.

As blurred and noisy as needed for a network to have something to learn.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

import SimpleITK as sitk  # noqa: E402

from CMROrientLib.recognition.preprocessing import Preprocessing  # noqa: E402
from CMROrientLib.training.augmentation.settings import Augmentation  # noqa: E402
from CMROrientLib.training.cases import read_cases  # noqa: E402
from CMROrientLib.training.recipe import Recipe, Stage  # noqa: E402
from CMROrientLib.training.slices import load_slices  # noqa: E402

TINY = {"name": "compact", "channels": [8, 16, 24], "blocks": [0, 1, 1], "features": 32, "outputs": 8, "in_channels": 1}
GENTLE = replace(Augmentation.paper(), zoom=(0.9, 1.0))


def synthetic_slice(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc in a ring with a crescent to its left, over something bright below: (48, 56), and its mask."""
    rows, columns = np.mgrid[:48, :56]
    y, x = rows - 23 + random.normal(0, 1.5), columns - 31 + random.normal(0, 1.5)
    image = 60.0 * (np.hypot(x, y) < 15) + 120 * (np.hypot(x, y) < 7)
    crescent = (np.hypot(x + 9, y - 2) < 13) & (np.hypot(x, y) > 13)
    image += 150 * crescent
    image += 90 * ((rows > 38) & (columns < 40))
    mask = np.where(crescent, 1, np.where(np.hypot(x, y) < 7, 3, np.where(np.hypot(x, y) < 13, 2, 0)))
    return image * random.uniform(0.7, 1.3) + random.normal(0, 12, image.shape), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve volumes of ten people, eight of the volumes with masks, and an index."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(3)
    lines = ["path,subject,dataset,modality,mask,mask_values"]
    for number in range(12):
        slices = [synthetic_slice(random) for _ in range(6)]
        stack, mask = (np.stack(part).astype(np.int16) for part in zip(*slices, strict=True))
        sitk.WriteImage(sitk.GetImageFromArray(stack), str(root / f"v{number:02}.nii.gz"))
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(root / f"m{number:02}.nii.gz"))
        drawn = f"m{number:02}.nii.gz,1 2 3" if number < 8 else ","
        lines.append(f"v{number:02}.nii.gz,s{number % 10},Shapes,{'bSSFP' if number % 2 else 'LGE'},{drawn}")
    (root / "index.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def recipe(name: str = "tiny", **changes: object) -> Recipe:
    plain = Recipe(
        name,
        TINY,
        seed=8,
        batch=16,
        squares=64,
        validate_every=2,
        augmentation=GENTLE,
        preprocessing=Preprocessing(size=48),
        stages=(Stage(epochs=12, rate=5e-3),),
    )
    return replace(plain, **changes)


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def slices_of(data: Path):
    return load_slices(read_cases(data), Preprocessing(size=48), 64)
