"""A model on disk that is a matched filter, and people who show its pattern.

It is written as ONNX: eight turned copies of one pattern as the weights of a linear layer. It is right
about that pattern and lost about anything else.
"""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.cards.model_files import find_model
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.preprocessing import Preprocessing

onnx = pytest.importorskip("onnx")

PREPROCESSING = Preprocessing(size=24, contrast="linear")


def pattern(seed: int = 0, size: int = 40) -> np.ndarray:
    """A slice without symmetry, with a little noise."""
    y, x = np.mgrid[:size, :size] / size
    image = 20 + 10 * x + 30 * y
    image[size // 8 : size // 3, size // 8 : size // 2] += 100
    return (image + np.random.default_rng(seed).normal(0, 3, image.shape)).astype(np.float32)


def write_model(folder: Path, seed: int = 0) -> Path:
    """The three files of a matched filter."""
    template = PREPROCESSING(pattern())[0]
    weights = [k.apply(template).ravel() * 10 / template.size for k in Orientation]
    weights.append(np.zeros(template.size))
    helper = onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["input"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
        ],
        "matched",
        [helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["n", 1, 24, 24])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 9])],
        [
            onnx.numpy_helper.from_array(np.stack(weights, axis=1).astype(np.float32), "weights"),
            # The out-of-distribution output wins where no copy of the pattern fits.
            onnx.numpy_helper.from_array(np.array([0.0] * 8 + [5.0], np.float32), "bias"),
        ],
    )
    folder.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "matched.onnx"))
    (folder / "matched.safetensors").write_bytes(b"")
    card = {
        "name": "matched",
        "architecture": {"name": "none"},
        "preprocessing": PREPROCESSING.to_card(),
        "outputs": 9,
        "seed": seed,
        "parameters": 5184,
        "multiply_adds": 5184,
        "training_seconds": 60 + seed,
        "recipe": {"phases": [{"epochs": 3}, {"epochs": 4}]},
        "decision": DecisionRule(max_not_short_axis=0.5, min_confidence=0.5).to_card(),
    }
    (folder / "matched.json").write_text(json.dumps(card), encoding="utf-8")
    assert find_model(folder).name == "matched"
    return folder


def write_data(folder: Path, name: str, people: int, wrong: int = 0, sequence: str = "bSSFP") -> list[str]:
    """People with the pattern in every slice; the first ``wrong`` of them stored upside down."""
    rows = []
    for number in range(people):
        stack = np.stack([pattern(100 * number + n) for n in range(8)])
        if number < wrong:
            stack = stack[:, ::-1]
        path = f"{name}-{number}.nii"
        nibabel.Nifti1Image(np.ascontiguousarray(stack.T), np.diag([1.5, 1.5, 8, 1])).to_filename(folder / path)
        rows.append(f"{path},{name},{number},{sequence},-23.0,45.0")
    return rows


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["path,dataset,subject,modality,rv_to_lv_angle_deg,margin_deg"]
    for name in ("A", "B", "C"):
        rows += write_data(folder, name, 6, wrong=1)
    (folder / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
