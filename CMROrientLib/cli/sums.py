"""The sum of a run, and what to do about what its images have in common; counted one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..recognition.wording import slice_order_words
from ..run.record import Record
from ..slice_order import FoundOrder


class Sums:
    """What is counted of a run's records."""

    def __init__(self) -> None:
        self.total = 0
        #: Images that make a run end with status 1.
        self.failed = 0
        self._results: Counter[str] = Counter()
        self._conflicts = 0
        self._orders: Counter[str] = Counter()
        #: Of stacks whose slices are images of their own, by their groups.
        self._of_stacks: dict[str, FoundOrder] = {}
        self._left: set[str] = set()
        self._not_short_axis = 0
        self._looked_at = 0

    def add(self, record: Record, result: str = "") -> None:
        """Count one more, with its result in a word or two."""
        self.total += 1
        self.failed += record.failed
        self._results[result] += 1
        self._conflicts += record.conflict and record.acted_on
        finding, action, stack = record.finding, record.action, record.stack
        if finding is None:
            return
        if record.acted_on and (action is None or action.slice_order == "keep"):
            if isinstance(stack, str):
                self._of_stacks[stack] = finding.slice_order
            else:
                self._orders[finding.slice_order] += 1
        if isinstance(stack, str) and action is not None and action.grid is not None:
            wanted = action.slice_order
            if wanted != "keep" and finding.slice_order not in ("unknown", wanted):
                self._left.add(stack)
        if finding.decision == "not_short_axis":
            self._not_short_axis += 1
            # What was left alone unseen has its own words.
            self._looked_at += finding.orientation is not None and finding.decided_by != "user"

    def words(self, kept: int) -> str:
        """The sum in a line; ``kept`` images were done by an earlier run."""
        results = sorted(self._results.items(), key=lambda item: -item[1])
        parts = ", ".join(f"{number} {name}" for name, number in results)
        earlier = f"; {kept} of them by an earlier run" if kept else ""
        told = f"; {self._conflicts} with a conflict of pixels and header" if self._conflicts else ""
        return f"{self.total} image{'' if self.total == 1 else 's'}: {parts}{told}{earlier}"

    def advice(self, inputs: Sequence[Path]) -> list[str]:
        """Lines that say what to do."""
        return [line for line in (self._mixed_orders(), self._left_in_order(inputs), self.no_short_axis()) if line]

    def _mixed_orders(self) -> str:
        """A line where the slices of some stacks run against those of others and stay so; else empty."""
        orders = self._orders + Counter(self._of_stacks.values())
        base, apex = orders["base_first"], orders["apex_first"]
        if not (base and apex):
            return ""
        way = f"{slice_order_words('base_first')} in {base} and {slice_order_words('apex_first')} in {apex}"
        return f"slices run {way} of the stacks; correct --slice-order base-first brings them into one order"

    def _left_in_order(self, inputs: Sequence[Path]) -> str:
        """A line where stacks should have been brought to an order and could not; else empty."""
        if not self._left:
            return ""
        which = shown_place(min(self._left), inputs) if len(self._left) == 1 else f"{len(self._left)} stacks"
        return (
            f"the slices of {which} keep their order: each is an image of its own, at its place in the patient, and "
            "the order is that of the numbers of series or files; sort them by place, or join them into one file and "
            "correct that"
        )

    def no_short_axis(self) -> str:
        """A line where every image was looked at and none is a short axis, with what to do; else empty."""
        if self._not_short_axis < self.total or not self._looked_at:
            return ""
        which = "the image is no short-axis image" if self.total == 1 else "no image here is a short-axis image"
        return (
            f"{which} (long-axis and other views are left alone): give the short-axis series, or decide yourself with "
            "correct --orientation or --decisions"
        )


def shown_place(path: str, inputs: Sequence[Path]) -> str:
    """A path as people know it: the given folder itself goes by its name."""
    folders = [given for given in inputs if given.is_dir()]
    if path != "." or len(folders) != 1:
        return path
    return folders[0].resolve().name or str(folders[0])
