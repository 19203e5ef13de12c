"""Slices that run against the rest: stacks that cannot be joined with the others as they are.

A stack that is stored as one image a slice counts once, and is marked as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from ..run.record import Record


class Rest(NamedTuple):
    """Which way the slices of most stacks run, in how many they do, and of how many it is known."""

    order: str
    stacks: int
    total: int


def rest_of(records: Iterable[Record]) -> Rest | None:
    """What is the rest; None where fewer than two orders are found, so that nothing runs against it.

    Where as many run one way as the other, base first counts as the rest.
    """
    orders = Counter({record.stack: order for record in records if (order := _order(record)) is not None}.values())
    if len(orders) < 2:
        return None
    order = "base_first" if orders["base_first"] >= orders["apex_first"] else "apex_first"
    return Rest(order, orders[order], orders.total())


def marked(record: Record, rest: Rest | None) -> Record:
    """The record, marked where its slices run the other way than those of the rest."""
    if rest is None or record.finding is None or _order(record) in (None, rest.order):
        return record
    return replace(record, finding=replace(record.finding, run_otherwise=(rest.stacks, rest.total)))


def _order(record: Record) -> str | None:
    finding = record.finding
    known = finding is not None and finding.acted_on and finding.slice_order != "unknown"
    return finding.slice_order if finding is not None and known else None
