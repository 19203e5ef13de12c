"""The sections of the results about the universal model and what led to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from CMROrientLib.training.evaluation.evaluate import Evaluation

from ..ablation import Variant
from ..left_out import Calibrated, Calibration, LeftOut, LeftOutSequence, RejectionMetrics
from ..other_pictures.rejection import Rejection
from ..stress import StressRow
from .text import GROUP_HEAD, facts, group_rows, minutes, paragraph, percent, share, table


def left_out_section(sources: Mapping[str, LeftOut], sequences: Mapping[str, LeftOutSequence]) -> list[str]:
    """Leaving whole sources, and whole sequences, out of training."""
    lines = [
        "## One network for every sequence: sources it has never seen",
        "",
        paragraph(
            "Each row is a network that was trained without that source, with the recipe of `universal`. "
            "All eight stored orientations count; border volumes (`margin_deg` under 10) do not. "
            "*One pass*: one look at the whole slice. *Averaged*, as the product does it: mean "
            "log-probabilities over the eight turned copies in two looks, at the whole slice and through "
            "a window round the heart, which the network itself finds from all slices of the volume. MyoPS "
            "and MSCMR are the same people, ACDC and EMIDEC one hospital: they are left out together. "
            "EMIDEC's frames were partly told by a network and by eye, so that its errors may be the labels'."
        ),
        "",
    ]
    body = [row for name, found in sources.items() for row in group_rows(found.groups, f"{name}: ")]
    lines += table(GROUP_HEAD, body)
    networks = {name: one.model for name, one in sources.items()} | {name: one.model for name, one in sequences.items()}
    trained = [f"{name}: {facts(network)}." for name, network in networks.items()]
    lines += [paragraph("The networks, trained on two shared CPU cores. " + " ".join(trained)), ""]
    lines += decision_lines(sources)
    if sequences:
        body = [row for name, found in sequences.items() for row in group_rows(found.groups, f"{name}: ")]
        lines += ["Trained without any volume of a sequence, and tested on it:", "", *table(GROUP_HEAD, body)]
    return lines


def decision_lines(sources: Mapping[str, LeftOut]) -> list[str]:
    """What would have been acted on in the left-out sources, by rules fitted on the others."""
    head = ["left-out source", "volumes", "acted on", "wrong among these", "uncertain", "taken for no short axis"]
    body = []
    for name, found in sources.items():
        rule = found.decisions
        interval = rule.wrong_interval
        wrong = str(rule.wrong) + (f" (0–{100 * interval[1]:.1f} %)" if interval and not rule.wrong else "")
        if interval and rule.wrong:
            wrong += f" ({100 * interval[0]:.1f}–{100 * interval[1]:.1f} %)"
        body.append(
            [
                name,
                str(rule.volumes),
                str(rule.acted_on),
                wrong,
                str(rule.uncertain),
                str(rule.not_short_axis),
            ]
        )
    return ["What the decision rule makes of the left-out volumes (fitted without them):", "", *table(head, body)]


def universal_section(found: Evaluation) -> list[str]:
    """The bundled weights, on the people held out from their training."""
    rule = found.decisions
    return [
        "## The bundled `universal`, on people held out from its training",
        "",
        paragraph(
            f"Weights `{found.checksum[:12]}`: {facts(found.training)}. Reproduced by "
            "`cmrorient evaluate --model universal --data DIR --index CSV --split Training/splits/universal.json`."
        ),
        "",
        *table(GROUP_HEAD, group_rows(found.groups)),
        paragraph(
            f"Of {rule.volumes} volumes {rule.acted_on} are acted on, {rule.wrong} of these wrongly; "
            f"uncertain: {rule.uncertain}, taken for no short axis: {rule.not_short_axis}. The limits of that "
            "rule were fitted on the answers of other networks about all people, these among them."
        ),
        "",
    ]


def stress_section(stress: Mapping[str, Mapping[str, Sequence[StressRow]]]) -> list[str]:
    """The picture of the curves, and the lowest point of each."""
    lines = [
        "## Stress",
        "",
        paragraph(
            "Up to three middle slices of up to 60 volumes of each left-out source, changed in one way at "
            "a time and looked at alone, averaged over the turned copies of both looks. Crops are centred "
            "on the heart where masks say where it is. A rotation moves the class where the anatomy says "
            "so; slices that come to lie within 10° of a border are not counted. The dashed line is 0.97."
        ),
        "",
        "![Accuracy under stress](pictures/stress.png)",
        "",
    ]
    curves = list(next(iter(stress.values())))
    body = []
    for curve in curves:
        cells = [curve]
        for found in stress.values():
            worst = min(found[curve], key=lambda row: (row.averaged.value, -abs(row.level)))
            cells.append(f"{share(worst.averaged)} at {worst.level:g}")
        body.append(cells)
    return lines + table(["lowest point of", *stress], body)


def calibration_section(found: Calibration) -> list[str]:
    """Reliability of the confidence on sources that neither network nor rule has seen."""
    lines = [
        "## An honest confidence",
        "",
        paragraph(
            "The confidence is a logistic function of the margin in log-probability, the slices' votes, "
            "the agreement of the turned copies and the number of slices (`CMROrientLib/recognition/decision.py`). "
            "For each left-out source it was fitted on the other sources' left-out answers, so that "
            "neither the network nor the rule has seen the source. *One slice*: as a volume of its own; parts "
            "of stacks use the window that was found from the whole stack. "
            "*Error* is the expected calibration error, ten bins of equal width."
        ),
        "",
        "![Reliability](pictures/reliability.png)",
        "",
    ]
    body = [_calibrated(kind, entry) for kind, entry in found.kinds.items()]
    for source, entries in found.sources.items():
        body += [_calibrated(f"{source}, {kind}", entry) for kind, entry in entries.items()]
    lines += table(["answers for", "answers", "right", "mean confidence", "error"], body)
    rule = found.final
    lines += [
        paragraph(
            "The rule in the card of `universal` was fitted on all left-out answers: temperature "
            f"{rule.temperature:g}, acted on from confidence {rule.min_confidence:g}, taken for no short "
            f"axis where that is more probable than {rule.max_not_short_axis:g}."
        ),
        "",
    ]
    return lines


def _calibrated(name: str, entry: Calibrated) -> list[str]:
    return [name, str(entry.answers), str(entry.right), f"{entry.confidence:.4f}", f"{entry.error:.4f}"]


def rejection_section(found: RejectionMetrics) -> list[str]:
    """Pictures that are no short-axis slices."""
    real = found.real_volumes
    lines = [
        "## Pictures that are no short-axis slices",
        "",
        paragraph(
            "Families that training has never shown, one picture at a time, to each of the networks with "
            "a left-out source, by a rule that was fitted without that source and without that family: a "
            "logistic function of the ninth output, the margin and the agreement of the copies. Some of "
            "training's drawn patterns are of a similar kind (lumps of tissue to the abdomens, ripples to "
            "the star and circles). *Rejected*: by the rule, or blank. "
            "*Uncertain* pictures are left alone as well."
        ),
        "",
    ]
    names = [name for name in found.families if name != "all"]
    body = [_rejected_row(name, found.families[name]) for name in [*names, "all"]]
    head = ["family", "pictures", "rejected", "uncertain", "acted on", "left alone"]
    lines += table(head, body)
    rejected = percent(real.rejected, real.volumes, real.interval)
    lines += [f"Real short-axis volumes rejected: {real.rejected} of {real.volumes}, {rejected}.", ""]
    for name, slices in (found.real_slices or {}).items():
        shown = percent(slices.rejected, slices.volumes, slices.interval)
        more = "" if slices.uncertain is None else f"; {slices.uncertain} more are uncertain"
        lines += [
            f"Single short-axis slices rejected, {name}: {slices.rejected} of {slices.volumes}, {shown}{more}.",
            "",
        ]
    if not found.views:
        return lines
    lines += [
        "## Other views of the heart",
        "",
        paragraph(
            "Each slice an image of its own, without its header, to the bundled network with heads that one real "
            "subject and one made family were kept back from, in turn. Made views are cut from hearts of people "
            "that it was not trained on. *Kept back*: neither this family nor this real subject was shown to the "
            "heads (nor any of them to the network below). Real views are few: 4-chamber views of two people "
            "(four images) and 14 slices of a pig in two phases; what becomes of other people's long axes is "
            "told by the made ones only. The rule was fitted without what was kept back."
        ),
        "",
    ]
    order = sorted(found.views, key=lambda name: (name.startswith("all"), not name.startswith("kept"), name))
    return [*lines, *table(head, [_rejected_row(name, found.views[name]) for name in order])]


def _rejected_row(name: str, row: Rejection) -> list[str]:
    return [
        name,
        str(row.pictures),
        percent(row.rejected, row.pictures, row.interval),
        str(row.uncertain),
        str(row.acted_on),
        f"{100 - 100 * row.acted_on / row.pictures:.1f} %",
    ]


def ablation_section(rows: Sequence[Variant]) -> list[str]:
    """What was tried, in short runs."""
    body = [
        [
            row.variant,
            row.fold,
            "" if row.epochs is None else str(row.epochs),
            f"{row.multiply_adds / 1e6:.0f} M" if row.multiply_adds else "",
            f"{row.parameters:,}" if row.parameters else "",
            *(
                "–" if value is None else f"{value:.4f}"
                for value in (row.slices_single, row.slices_averaged, row.middle_averaged)
            ),
            minutes([row.seconds]) if row.seconds else "",
        ]
        for row in rows
    ]
    head = ["variant", "tested on", "epochs", "multiply-adds", "parameters"]
    return [
        "## What was tried",
        "",
        paragraph(
            "Short runs by the recipes in `Training/recipes/ablation`, one seed each, that differ from the first "
            "one in what the row says: differences of a few thousandths mean nothing."
        ),
        "",
        *table([*head, "slices, one pass", "slices, averaged", "middle, averaged", "training"], body),
    ]
