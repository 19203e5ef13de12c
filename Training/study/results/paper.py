"""The sections about the paper's own system: its Table 2 beside ours, and the three bundled models."""

from __future__ import annotations

from collections.abc import Mapping

from CMROrientLib.training.evaluation.evaluate import Evaluation

from ..paper_table import SEQUENCES, PaperRow
from .text import GROUP_HEAD, facts, group_rows, minutes, paragraph, share, table

#: Accuracies and parameters (millions) that Liu 2022 (arXiv 2211.11336) reports in Table 2.
REPORTED: dict[str, dict[str, float]] = {
    "OrientNet": {"bSSFP": 0.9982, "LGE": 0.9914, "T2": 0.9861, "parameters": 1.08},
    "ResNet18": {"bSSFP": 0.9974, "LGE": 0.9986, "T2": 0.9936, "parameters": 11.69},
    "DenseNet121": {"bSSFP": 0.9957, "LGE": 0.9937, "T2": 0.9923, "parameters": 7.98},
}

#: The bundled models that are trained as the paper says.
PAPER_MODELS = ("cine", "lge", "t2")


def paper_section(rows: Mapping[str, PaperRow]) -> list[str]:
    """The paper's Table 2 beside ours."""
    lines = [
        "## The paper's table, on a clean split",
        "",
        paragraph(
            "MyoPS, 80 / 20 by person; a person is never on both sides, over all three sequences and over "
            "transfer. Each test slice is stored in all eight orientations and looked at once, without "
            "averaging. In brackets: 95 % intervals from a bootstrap over people. The paper's published "
            "code let validation patients into training."
        ),
        "",
    ]
    body = []
    rows = dict(sorted(rows.items(), key=lambda item: [*REPORTED, item[0]].index(item[0])))
    for name, row in rows.items():
        found = row.sequences
        epochs = "/".join(str(found[key].epochs) for key in SEQUENCES if key in found)
        seeds = max(len(entry.seeds) for entry in found.values())
        body.append(
            [
                f"{name}, ours",
                *(share(found[key].single) if key in found else "–" for key in SEQUENCES),
                f"{row.parameters:,}",
                str(seeds),
                epochs,
                minutes([second for entry in found.values() for second in entry.seconds]),
            ]
        )
        if name in REPORTED:
            old = REPORTED[name]
            body.append(
                [
                    f"{name}, the paper",
                    *(f"{old[key]:.4f}" for key in SEQUENCES),
                    f"{old['parameters']} M",
                    "–",
                    "40",
                    "–",
                ]
            )
    head = ["network", *SEQUENCES, "parameters", "seeds", "epochs", "training a run, two CPU cores"]
    lines += table(head, body)
    lines += ["Single seeds, and the average over the eight turned copies:", ""]
    detail = [
        [
            f"{name} {key}",
            str(entry.single.subjects),
            str(entry.single.count // (8 * len(entry.seeds))),
            " ".join(f"{value:.4f}" for value in entry.seeds.values()),
            share(entry.averaged),
        ]
        for name, row in rows.items()
        for key, entry in row.sequences.items()
    ]
    head = ["network and sequence", "test people", "slices", "each seed, one pass", "averaged, all seeds"]
    return lines + table(head, detail)


def paper_models_section(models: Mapping[str, Evaluation]) -> list[str]:
    """The bundled models that were trained as the paper says, on people held out from their training."""
    lines = ["## The bundled `cine`, `lge` and `t2`, on people held out from their training", ""]
    trained = [f"`{name}`: {facts(found.training)}." for name, found in models.items()]
    lines += [
        paragraph(
            "Trained on all data sets of their sequence as the paper says; the limits of their confidence were "
            "fitted on these held-out people. " + " ".join(trained)
        ),
        "",
    ]
    return lines + table(
        GROUP_HEAD, [row for name, found in models.items() for row in group_rows(found.groups, f"{name}: ")]
    )
