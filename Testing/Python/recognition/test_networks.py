"""The networks: the paper's size, shapes, turning, and names."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")


from CMROrientLib.errors import CMROrientError  # noqa: E402
from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.recognition.networks import build, multiply_adds, parameters, turned  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_papers_network_has_the_papers_parameters() -> None:
    network = build("orientnet")
    assert parameters(network) == 1_078_056
    convolutions = [tuple(layer.weight.shape[:2]) for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert convolutions == [(32, 3), (32, 32), (64, 32)]
    assert multiply_adds(network, 3, 256) == pytest.approx(284e6, rel=0.01)


def test_the_papers_network_layer_by_layer() -> None:
    """Against the same computed with functions, from the same weights."""
    torch.manual_seed(0)
    network = build("orientnet").eval()
    images = torch.randn(2, 3, 256, 256)
    weights = network.state_dict()
    x = images
    for layer in (0, 4, 8):
        x = torch.nn.functional.conv2d(
            x, weights[f"backbone.{layer}.weight"], weights[f"backbone.{layer}.bias"], padding=1
        )
        # Fresh batch norm in evaluation: means 0, variances 1.
        x = torch.nn.functional.max_pool2d(torch.relu(x / np.sqrt(1 + 1e-5)), 2)
    x = torch.nn.functional.avg_pool2d(x, 2).flatten(1)
    x = torch.sigmoid(x @ weights["head.0.weight"].T + weights["head.0.bias"])
    expected = x @ weights["head.2.weight"].T + weights["head.2.bias"]
    torch.testing.assert_close(network(images), expected, atol=1e-4, rtol=1e-4)


def test_the_compact_network_stays_small() -> None:
    network = build("compact")
    assert parameters(network) <= 2_000_000
    assert multiply_adds(network, 1, 96) <= 40_000_000


@pytest.mark.parametrize(("name", "channels"), [("compact", 1), ("compact", 3), ("equivariant", 1)])
@pytest.mark.parametrize("outputs", [8, 9])
def test_shapes(name: str, channels: int, outputs: int) -> None:
    network = build(name, outputs=outputs, in_channels=channels).eval()
    with torch.no_grad():
        assert network(torch.randn(3, channels, 96, 96)).shape == (3, outputs)


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_baselines_by_name(name: str) -> None:
    pytest.importorskip("monai", reason="MONAI is not installed")
    network = build(name)
    assert parameters(network) == {"resnet18": 11_180_616, "densenet121": 6_962_056}[name]
    with torch.no_grad():
        assert network.eval()(torch.randn(2, 3, 64, 64)).shape == (2, 8)


@pytest.mark.parametrize("k", list(Orientation))
def test_turning_tensors_is_turning_arrays(k: Orientation) -> None:
    array = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(turned(torch.from_numpy(array), k).numpy(), k.apply(array))


@pytest.mark.parametrize("k", list(Orientation))
def test_the_equivariant_network_permutes_its_logits(k: Orientation) -> None:
    torch.manual_seed(1)
    network = build("equivariant").eval()
    images = torch.randn(2, 1, 96, 96)
    with torch.no_grad():
        plain, of_turned = network(images), network(turned(images, k))
    expected = [plain[:, k.inverse.after(j)] for j in Orientation] + [plain[:, 8]]
    torch.testing.assert_close(of_turned, torch.stack(expected, 1), atol=1e-4, rtol=1e-4)


def test_unknown_names_and_settings_are_named() -> None:
    with pytest.raises(CMROrientError, match="alexnet"):
        build("alexnet")
    with pytest.raises(CMROrientError, match="settings"):
        build("compact", colour="red")
