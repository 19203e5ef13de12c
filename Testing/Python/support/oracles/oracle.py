"""A made-up network that knows the answer about one pattern, and people who show it."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(size=32, contrast="linear")


def pattern(rows: int = 40, columns: int = 40) -> NDArray[np.float32]:
    """A slice without any symmetry: a ramp with a bright block in the upper left part."""
    y, x = np.mgrid[:rows, :columns] / [[[rows]], [[columns]]]
    image = 20 + 10 * x + 30 * y
    image[rows // 8 : rows // 3, columns // 8 : columns // 2] += 100
    return image.astype(np.float32)


def oracle(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits by correlation with the eight turned patterns; the ninth output is high where nothing fits."""
    template = PREPROCESSING(pattern())[0]
    turned = np.stack([k.apply(template).ravel() for k in Orientation])
    flat = inputs[:, 0].reshape(len(inputs), -1)
    fit = flat @ turned.T / flat.shape[1]
    return np.concatenate([20 * fit, 20 * (0.9 - fit.max(1, keepdims=True))], axis=1).astype(np.float32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three people, one of them near a border, one with two sequences, and an index."""
    rows = ["path,dataset,subject,modality,rv_to_lv_angle_deg,margin_deg"]
    for name, subject, sequence, angle, margin in [
        ("a.nii", "one", "bSSFP", -23.0, 45.0),
        ("b.nii", "two", "bSSFP", 20.0, 2.0),
        ("c.nii", "three", "LGE", -40.0, 28.0),
        ("d.nii", "three", "bSSFP", -40.0, 28.0),
    ]:
        stack = np.stack([pattern() + n for n in range(6)])
        stack[0] = 7  # a blank slice is not counted
        nibabel.Nifti1Image(stack.T, np.diag([1.0, 1.0, 8.0, 1.0])).to_filename(tmp_path / name)
        rows.append(f"{name},Set,{subject},{sequence},{angle},{margin}")
    (tmp_path / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path
