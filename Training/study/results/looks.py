"""The sections of the results about speed: how much is looked at, and in what arithmetic."""

from __future__ import annotations

from collections.abc import Mapping

from ..arithmetic import Variant
from ..looks.figures import LooksFigures, LooksMetrics
from .text import paragraph, table


def looks_section(found: LooksMetrics) -> list[str]:
    """What is told early."""
    rows = {**found.sources, "the same, made harder": found.changed, "what is no short axis": found.others}
    return [
        "## Looking harder only where it is needed",
        "",
        paragraph(
            "Each slice is first shown whole in one of its turned copies, neighbours in different ones; then its crop; "
            "then everything. Looking ends where the card's rule is sure. Each volume was stored in all eight "
            "orientations, and judged by a rule that was fitted on other people and other networks. *Told early*: at "
            "the first or second look; *otherwise*: those of them on which all copies would not have acted, or with "
            "another class; *order otherwise*: those whose slices all copies say run the other way."
        ),
        "",
        *table(
            [
                "shown",
                "people",
                "stacks",
                "acted on in full (wrong)",
                "told early",
                "at the first look",
                "otherwise",
                "order otherwise",
                "acted on (wrong)",
                "inputs, mean",
                "median",
                "in full",
            ],
            [_row(name, row) for name, row in rows.items()],
        ),
        paragraph(
            "The confidence of an early answer comes from a logistic function of its own. Its expected calibration "
            "error, by rules that were fitted on other people and networks: of the answers that ended the looking, and "
            "of all that the first and the second look say about whole stacks, parts of three and five slices and "
            "stacks made harder, whether they would be told or not:"
        ),
        "",
        *table(
            ["answers", "how many", "right", "mean confidence", "calibration error"],
            [
                [
                    kind,
                    str(row.answers),
                    f"{100 * row.right / row.answers:.2f} %",
                    f"{row.confidence:.4f}",
                    f"{row.error:.4f}",
                ]
                for kind, row in found.calibration.items()
            ],
        ),
    ]


def arithmetic_section(found: Mapping[str, Variant]) -> list[str]:
    """Fewer bits and fewer pixels."""
    body = [
        [
            name,
            f"{row.kilobytes} kB",
            f"{row.time:.2f}",
            f"{row.time_of_a_look:.2f}",
            f"{row.slices_once:.4f}",
            f"{row.slices_averaged:.4f}",
            f"{row.stacks_at_once} of {row.stacks}",
            f"{row.acted_on} of {row.volumes} ({row.wrong})",
            str(row.otherwise),
        ]
        for name, row in found.items()
    ]
    return [
        "## Smaller arithmetic",
        "",
        paragraph(
            "The bundled network on the people held out from it: in 8 bits, by ONNX Runtime's static quantization, "
            "calibrated on inputs of people of the training; and in 32 bits, from inputs of 64 × 64, that it was not "
            "trained for. *Time* is that of one pass over ten slices on one thread, *with preprocessing* that of a "
            "whole look, both as shares of the network's own, measured alternately in one process on a processor "
            "with 8 bit instructions (AVX-512 VNNI). *At the first look*: stacks, stored in all eight orientations, of "
            "which the first early look names the right class."
        ),
        "",
        *table(
            [
                "arithmetic",
                "file",
                "time",
                "with preprocessing",
                "slices, one pass",
                "slices, averaged",
                "at the first look",
                "acted on (wrong)",
                "decided otherwise",
            ],
            body,
        ),
        paragraph(
            "None of them ships. 8 bits lose nothing here and save a third of the network's time, which is a sixth of "
            "a look; but what comes out depends on the processor then (without these instructions sums saturate), so "
            "that one image could be decided differently on two machines, and `--looks full`, CUDA and the checks of "
            "the two engines against each other need the 32 bits beside it. Quantizing the sums between layers, too, "
            "gave no finite numbers: the heads take roots of small values. 64 × 64 saves a third of the first look, "
            "has more slices wrong, and one volume wrong among those acted on. Fewer channels were not tried: that "
            "asks for another network, and for all that judges it."
        ),
        "",
    ]


def _row(name: str, row: LooksFigures) -> list[str]:
    early = row.first + row.second
    return [
        name,
        str(row.people or "–"),
        str(row.stacks),
        f"{row.acted_on_in_full} ({row.wrong_in_full})",
        f"{100 * early / row.stacks:.1f} %",
        f"{100 * row.first / row.stacks:.1f} %",
        str(row.otherwise),
        str(row.order_otherwise),
        f"{row.acted_on} ({row.wrong})",
        f"{row.inputs:.1f}",
        f"{row.median_inputs:g}",
        f"{row.inputs_in_full:.0f}",
    ]
