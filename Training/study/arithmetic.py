"""Smaller arithmetic: what the network costs and gets wrong in 8 bits, and from inputs of 64 × 64.

``python -m study.arithmetic --model universal --data DATA --split SPLIT --metrics FOLDER`` makes the variants from
the model, calibrates those of 8 bits on people of the training, judges all on the people held out, and measures
their time against the model's, alternately in one process, on one thread.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from CMROrientLib.recognition.cards.model_files import ModelFiles, find_model
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.engines import CPU_BATCH, OnnxEngine
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.typed_json import write_object
from CMROrientLib.training.cases import Case
from CMROrientLib.training.evaluation.evaluate import chosen_cases

from .json_files import write_json
from .looks.judging import Looks, looks_at
from .looks.seen import SeenStack, see_in_all_classes
from .looks.stacks import stack_of

#: Inputs of the network, float32 (N, channels, rows, columns).
Inputs = NDArray[np.float32]

#: Volumes of the training whose inputs calibrate the ranges of 8 bits.
CALIBRATING = 60
#: Side of the smaller inputs.
SMALLER = 64
#: Slices shown at once when times are measured, and how often.
SLICES, TIMES = 10, 60


@dataclass(frozen=True)
class Variant:
    """What one arithmetic costs and gets wrong, on people held out.

    Parameters
    ----------
    kilobytes:
        The network's file.
    time, time_of_a_look:
        Of one pass over ten slices, and of that with its preprocessing, as shares of the model's own.
    slices_once:
        Share of slices right in one pass, stored in each of the eight classes.
    slices_averaged:
        The same over all copies.
    stacks, stacks_at_once:
        Stacks stored in each class, and those that the first early look has right; border cases not counted.
    volumes, acted_on, wrong:
        Volumes, those that all copies lead to acting on, and wrong ones among these.
    otherwise:
        Volumes with another class or another decision than the model's own.
    """

    kilobytes: int
    time: float
    time_of_a_look: float
    slices_once: float
    slices_averaged: float
    stacks: int
    stacks_at_once: int
    volumes: int
    acted_on: int
    wrong: int
    otherwise: int


def variants(model: ModelFiles, calibrating: Sequence[Case], folder: Path) -> dict[str, Inference]:
    """The networks by name, the model's own first."""
    own = _inference(model, model.onnx)
    shown = _inputs_of(own, calibrating)
    made = {"32 bits, 96 × 96": own}
    for name, operators in (("8 bits, layers", ("Conv", "Gemm")), ("8 bits, convolutions", ("Conv",))):
        path = folder / f"{len(made)}.onnx"
        _quantize(model.onnx, path, shown, operators)
        made[name] = _inference(model, path)
    smaller = folder / "smaller.onnx"
    smaller.write_bytes(_exported(model, SMALLER))
    at_64 = _inference(model, smaller)
    made[f"32 bits, {SMALLER} × {SMALLER}"] = replace(at_64, preprocessing=replace(at_64.preprocessing, size=SMALLER))
    return made


def _inference(model: ModelFiles, path: Path) -> Inference:
    return replace(Inference.of(model, OnnxEngine(path, threads=1)), source=path)


def _inputs_of(inference: Inference, cases: Sequence[Case]) -> list[Inputs]:
    """What the network is shown in early looks at volumes, in batches."""
    shown: list[Inputs] = []

    def forward(inputs: Inputs) -> Inputs:
        shown.append(inputs[:CPU_BATCH])
        return inference.forward(inputs)

    watched = replace(inference, forward=forward)
    for case in cases:
        stack = stack_of(case)
        if stack is not None:
            looks = watched.looks(stack.images, stack.spacing)
            # Whole slices, then crops.
            next(looks)
            next(looks)
    return shown


def _quantize(source: Path, target: Path, shown: Sequence[Inputs], operators: Sequence[str]) -> None:
    """Write a network with weights and what flows between its layers in 8 bits."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands out the inputs one after the other."""

        def __init__(self) -> None:
            self.left = iter(shown)

        def get_next(self) -> dict[str, Inputs] | None:
            return next(({"input": inputs} for inputs in self.left), None)

    prepared = target.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared))
    quantize_static(
        str(prepared),
        str(target),
        Reader(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=list(operators),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _exported(model: ModelFiles, size: int) -> bytes:
    """The same weights for other inputs."""
    from safetensors.torch import load

    from CMROrientLib.recognition.networks import build
    from CMROrientLib.training.export import onnx_of

    architecture = model.card.architecture
    network = build(architecture.name, **architecture.settings)
    network.load_state_dict(load(model.safetensors.read_bytes()))
    return onnx_of(network.eval(), model.card.preprocessing.channels, size)


def judge(
    made: Mapping[str, Inference], cases: Sequence[Case], rule: DecisionRule, times: Mapping[str, tuple[float, float]]
) -> dict[str, Variant]:
    """Show volumes to each, and count."""
    own: list[Looks] = []
    found = {}
    for name, inference in made.items():
        stacks = [stack for case in cases if (stack := stack_of(case)) is not None]
        seen = [one for stack in stacks for one in see_in_all_classes(inference, stack)]
        looks = looks_at(seen, rule.temperature)
        own = own or looks
        found[name] = _counted(inference, looks, own, rule, times[name])
    return found


def _counted(
    inference: Inference, looks: Sequence[Looks], own: Sequence[Looks], rule: DecisionRule, times: tuple[float, float]
) -> Variant:
    counted = [one for one in looks if one.stack.counts]
    volumes = [one for one in looks if one.stack.truth == 0]
    acted = [one.full for one in volumes if one.full.acts(rule)]
    once = np.concatenate([_right_once(one.stack) for one in counted if one.stack.truth == 0])
    averaged = np.concatenate([_right_averaged(one) for one in counted if one.stack.truth == 0])
    pairs = zip(looks, own, strict=True)
    assert inference.source is not None
    return Variant(
        kilobytes=round(inference.source.stat().st_size / 1000),
        time=round(times[0], 3),
        time_of_a_look=round(times[1], 3),
        slices_once=round(float(once.mean()), 5),
        slices_averaged=round(float(averaged.mean()), 5),
        stacks=len(counted),
        stacks_at_once=sum(one.early[0].right for one in counted),
        volumes=len(volumes),
        acted_on=len(acted),
        wrong=sum(not look.right for look in acted if look.stack.counts),
        otherwise=sum(
            one.stack.truth == 0
            and (one.full.acts(rule), one.full.evidence.orientation)
            != (other.full.acts(rule), other.full.evidence.orientation)
            for one, other in pairs
        ),
    )


def _right_once(stack: SeenStack) -> NDArray[np.bool_]:
    """(S, 8) whether one pass names the class of each slice of a standard stack, stored in each class."""
    return np.asarray(stack.full.logits[:, :8, :8].argmax(-1) == np.arange(8))


def _right_averaged(looks: Looks) -> NDArray[np.bool_]:
    from CMROrientLib.training.evaluation.scoring import averaged_right

    return averaged_right(looks.stack.full.logits)


def measured_times(made: Mapping[str, Inference], cases: Sequence[Case]) -> dict[str, tuple[float, float]]:
    """Time of a pass, and of that with preprocessing, as shares of the first's; medians of the process's time."""
    images = [image for case in cases if (stack := stack_of(case)) is not None for image in stack.images][:SLICES]
    inputs = {name: one.preprocessing.normalise(_squares(one, images)) for name, one in made.items()}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in made}
    for _ in range(TIMES + 1):
        for name, one in made.items():
            start = time.process_time()
            one.forward(inputs[name])
            middle = time.process_time()
            one.forward(one.preprocessing.normalise(_squares(one, images)))
            spent[name].append((middle - start, time.process_time() - middle))
    # The first round warms up.
    medians = {name: np.median(rounds[1:], axis=0) for name, rounds in spent.items()}
    first = next(iter(medians.values()))
    return {name: (float(one[0] / first[0]), float(one[1] / first[1])) for name, one in medians.items()}


def _squares(inference: Inference, images: Sequence[NDArray[np.float32]]) -> Inputs:
    return np.stack([inference.preprocessing.square(image) for image in images])


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.arithmetic", description=__doc__)
    parser.add_argument("--model", default="universal")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--split", required=True, type=Path, help="JSON with lists 'train' and 'test' of people")
    parser.add_argument("--metrics", required=True, type=Path, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    model = find_model(arguments.model)
    training, testing = (
        chosen_cases(arguments.data, arguments.index, arguments.split, people) for people in ("train", "test")
    )
    calibrating = [training[int(n)] for n in np.linspace(0, len(training) - 1, min(CALIBRATING, len(training)))]
    with tempfile.TemporaryDirectory() as folder:
        made = variants(model, calibrating, Path(folder))
        found = judge(made, testing, model.card.decision, measured_times(made, testing))
    write_json(arguments.metrics / "arithmetic.json", {name: write_object(one) for name, one in found.items()})
    for name, one in found.items():
        print(name, write_object(one))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
