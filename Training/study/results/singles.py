"""The section of the results about single short-axis slices."""

from __future__ import annotations

from collections.abc import Mapping

from ..single_slices import SingleSliceMetrics, SingleSlices
from .text import paragraph, percent, table


def single_slices_section(found: SingleSliceMetrics) -> list[str]:
    """What becomes of slices that are images of their own."""
    true = " and ".join(name for name in found.headers if name != "all") or "no source"
    head = ["shown", "slices", "taken for none", "uncertain", "acted on", "wrong among these"]
    return [
        "## Single short-axis slices",
        "",
        paragraph(
            "Each slice of left-out sources an image of its own, to the networks of the heads and by the rules of the "
            "other sources. What pixels take for no short axis is uncertain where the header names a plane "
            "near the short axis: nothing is acted on by that. Headers are true in "
            f"{true} only. *With a person's plane*: slices of the others, whose headers say nothing, were given the "
            "planes of these people one after the other; how often their own scanners' headers would name such a "
            "plane is not known."
        ),
        "",
        *table(
            head,
            [
                *_rows("without a header", found.pixels),
                *_rows("with the files' own headers", found.headers),
                *_rows("with a person's plane", found.planes),
            ],
        ),
    ]


def _rows(how: str, sources: Mapping[str, Mapping[str, SingleSlices]]) -> list[list[str]]:
    # One source is all.
    names = [name for name in sources if name != "all" or len(sources) > 2]
    return [
        [
            f"{how}: {name}, {part}",
            str(row.slices),
            f"{row.rejected}: {percent(row.rejected, row.slices, row.interval)}",
            str(row.uncertain),
            str(row.acted_on),
            str(row.wrong),
        ]
        for name in names
        for part, row in sources[name].items()
    ]
