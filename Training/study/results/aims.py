"""The aims that were set before anything was measured, beside what was reached."""

from __future__ import annotations

from CMROrientLib.training.evaluation.slice_orders import SliceOrders

from ..left_out import RejectionMetrics
from ..stored import StoredMetrics

SLICES, MIDDLE, STRESSED = 0.99, 0.997, 0.97
CALIBRATION_ERROR = 0.02
REJECTED, REAL_REJECTED = 0.98, 0.02
REAL_LOST = 0.01
NAMED, RIGHT = 0.98, 0.998


def aims(metrics: StoredMetrics) -> list[list[str]]:
    """Rows of aim, reached, and yes or no; only for what has been measured.

    Parameters
    ----------
    metrics:
        All of them.
    """
    rows: list[list[str]] = []
    for source, left_out in (metrics.left_out or {}).items():
        groups = left_out.groups
        # EMIDEC is reported apart: its frames were partly told by a network.
        apart = any(name.startswith("EMIDEC") for name in groups)
        for name in [name for name in groups if name != "all"] if apart else ["all"]:
            for aim, reached, least in (
                ("all slices", groups[name].slices_averaged, SLICES),
                ("middle 70 % of slices", groups[name].middle_averaged, MIDDLE),
                ("volumes", groups[name].volumes_averaged, 1.0),
            ):
                value = reached.value if reached is not None else 0.0
                who = name if apart else source
                rows.append(_row(f"{who}, left out: {aim}, at least {least:g}", f"{value:.4f}", value >= least))
        decided = left_out.decisions
        wrong = f"{decided.wrong} of {decided.acted_on}"
        rows.append(_row(f"{source}, left out: none wrong among those acted on", wrong, decided.wrong == 0))
    for source, curves in (metrics.stress or {}).items():
        values = {curve: min(row.averaged.value for row in levels) for curve, levels in curves.items()}
        low = [curve.split(",")[0] for curve, value in values.items() if value < STRESSED]
        lowest = f"lowest {min(values.values()):.4f}" + (f"; missed: {', '.join(low)}" if low else "")
        rows.append(
            _row(f"{source}, left out: middle slices under each stress, at least {STRESSED:g}", lowest, not low)
        )
    for kind, entry in (metrics.calibration.kinds if metrics.calibration else {}).items():
        aim = f"calibration error on left-out sources, {kind}, under {CALIBRATION_ERROR:g}"
        rows.append(_row(aim, f"{entry.error:.4f}", entry.error < CALIBRATION_ERROR))
    if metrics.rejection is not None:
        every, real = metrics.rejection.families["all"], metrics.rejection.real_volumes
        share = every.rejected / every.pictures
        aim = f"other pictures taken for no short axis, at least {100 * REJECTED:.0f} %"
        alone = 1 - every.acted_on / every.pictures
        left = f"{100 * share:.1f} %; with the uncertain ones {100 * alone:.1f} % left alone"
        rows.append(_row(aim, left, share >= REJECTED))
        share = real.rejected / real.volumes
        aim = f"real short-axis volumes taken for none, at most {100 * REAL_REJECTED:.0f} %"
        rows.append(_row(aim, f"{100 * share:.1f} %", share <= REAL_REJECTED))
        rows += _of_views(metrics.rejection)
    if metrics.single_slices is not None:
        own = metrics.single_slices.headers
        sources = ", ".join(name for name in own if name != "all")
        for name, found in own.get("all", {}).items():
            share = found.rejected / found.slices
            aim = f"single slices of {sources} under their true headers taken for none, {name}"
            aim += f", at most {100 * REAL_LOST:.0f} %"
            rows.append(_row(aim, f"{100 * share:.1f} %", share <= REAL_LOST))
    if metrics.slice_order is not None:
        rows += _of_orders("each by itself", metrics.slice_order["all"])
    if metrics.slice_order_together is not None:
        rows += _of_orders("those on one grid together, as a run has them", metrics.slice_order_together["all"])
    return rows


def _of_orders(how: str, found: SliceOrders) -> list[list[str]]:
    named, right = found.named / found.stacks, 1 - found.wrong / max(found.named, 1)
    aim = f"slice order of left-out stacks of five slices or more, {how}: named, at least {100 * NAMED:.0f} %"
    rows = [_row(aim, f"{100 * named:.1f} %, {found.named} of {found.stacks}", named >= NAMED)]
    aim = f"the same: right where named, at least {100 * RIGHT:.1f} %"
    return [*rows, _row(aim, f"{100 * right:.1f} %, {found.wrong} wrong", right >= RIGHT)]


def _of_views(found: RejectionMetrics) -> list[list[str]]:
    """The aims about other views of the heart."""
    kept = (found.views or {}).get("all that was kept back")
    if kept is None or found.real_slices is None:
        return []
    alone = 1 - kept.acted_on / kept.pictures
    aim = f"other views of the heart that were kept back, left alone, at least {100 * REJECTED:.0f} %"
    rows = [_row(aim, f"{100 * alone:.1f} %", alone >= REJECTED)]
    for name, slices in found.real_slices.items():
        share = slices.rejected / slices.volumes
        aim = f"single short-axis slices taken for none, {name}, at most {100 * REAL_LOST:.0f} %"
        rows.append(_row(aim, f"{100 * share:.1f} %", share <= REAL_LOST))
    return rows


def _row(aim: str, reached: str, met: bool) -> list[str]:
    return [aim, reached, "yes" if met else "**no**"]
