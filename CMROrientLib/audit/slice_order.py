"""Slices that run against the rest: stacks that cannot be joined with the others as they are.

A stack that is stored as one image a slice counts once, and is marked as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..run.record import Record


def marked(records: Sequence[Record]) -> list[Record]:
    """The records, those marked whose slices run the other way than those of most others.

    Where as many run one way as the other, base first counts as the rest.
    """
    orders = Counter({record.stack: order for record in records if (order := _order(record)) is not None}.values())
    total = orders.total()
    rest = "base_first" if orders["base_first"] >= orders["apex_first"] else "apex_first"
    if len(orders) < 2:
        return list(records)
    return [
        replace(record, finding=replace(record.finding, run_otherwise=(orders[rest], total)))
        if record.finding is not None and _order(record) not in (None, rest)
        else record
        for record in records
    ]


def _order(record: Record) -> str | None:
    finding = record.finding
    known = finding is not None and finding.acted_on and finding.slice_order != "unknown"
    return finding.slice_order if finding is not None and known else None
