"""The sections of the results about the heads of the universal model: slice order, angle, made kinds of image."""

from __future__ import annotations

from collections.abc import Mapping

from CMROrientLib.training.evaluation.angles import AngleErrors
from CMROrientLib.training.evaluation.decisions import Decisions
from CMROrientLib.training.evaluation.slice_orders import SliceOrders

from ..kinds import KindFigures
from .text import paragraph, percent, table


def heads_section(found: Mapping[str, Decisions]) -> list[str]:
    """What the rule makes of left-out volumes with the new ninth output."""
    body = [
        [name, str(row.volumes), str(row.acted_on), str(row.wrong), str(row.uncertain), str(row.not_short_axis)]
        for name, row in found.items()
    ]
    return [
        "## The heads of the bundled model",
        "",
        paragraph(
            "The ninth output, the level of a slice and the direction between the ventricles come from small heads "
            "that were trained on the frozen network: the weights of its eight classes are bit for bit what they "
            "were (what comes out differs by less than 1e-6), and the tables above hold. What follows was measured "
            "with networks of the wider recipe (`universal-wider.toml`) that had a source left out and then got "
            "heads in the same way. What their rule makes of the left-out volumes:"
        ),
        "",
        *table(
            ["left-out source", "volumes", "acted on", "wrong among these", "uncertain", "taken for no short axis"],
            body,
        ),
    ]


def slice_order_section(
    found: Mapping[str, SliceOrders], together: Mapping[str, SliceOrders], angles: Mapping[str, AngleErrors]
) -> list[str]:
    """Which end of a stack comes first, and how far the measured angles are off."""
    body = [
        [
            name,
            str(row.people),
            str(row.stacks),
            percent(row.named, row.stacks, row.named_interval),
            percent(row.named - row.wrong, row.named, row.right_interval) if row.named else "–",
            str(row.wrong),
            *_on_one_grid(together.get(name)),
            f"{angles[name].median:.1f}° ({angles[name].most:.1f}°)" if name in angles else "–",
        ]
        for name, row in found.items()
    ]
    beside = ["on one grid: named", "wrong"] if together else []
    return [
        "## Slice order and angle",
        "",
        paragraph(
            "Whole stacks of five slices or more of left-out sources whose order is known, by a rule that was "
            "fitted on the other sources; EMIDEC has no known order, MyoPS few stacks of five slices. *On one grid*: "
            "frames and sequences of one person that lie on one grid have one order, from the levels of all, as in a "
            "run and in `recognize_together`. *Angle off*: how far the measured direction from the right to the left "
            "ventricle is from that of the masks, median and 95th percentile over volumes."
        ),
        "",
        *table(
            ["left-out source", "people", "stacks", "order named", "right among these", "wrong", *beside, "angle off"],
            body,
        ),
    ]


def _on_one_grid(row: SliceOrders | None) -> list[str]:
    return [] if row is None else [percent(row.named, row.stacks, row.named_interval), str(row.wrong)]


def kinds_section(found: Mapping[str, Mapping[str, KindFigures]]) -> list[str]:
    """Kinds of image that the data sets do not have."""
    body = [
        [
            f"{kind.replace('_', ' ')}, {group}",
            str(row.stacks),
            percent(row.right, row.stacks, row.interval),
            str(row.acted_on),
            str(row.wrong),
        ]
        for kind, groups in found.items()
        for group, row in sorted(groups.items())
        if row.stacks
    ]
    return [
        "## Made kinds of image",
        "",
        paragraph(
            "Three middle slices of stacks of left-out sources, made into kinds of image that the data sets do not "
            "have, by the functions that make them in training. *Kept back*: the network was not shown this kind; "
            "*seen*: it was, of other people. Real images of these kinds were not available."
        ),
        "",
        *table(["kind", "stacks", "right", "acted on", "wrong among these"], body),
    ]
