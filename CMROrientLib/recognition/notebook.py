"""How a result shows itself in an interpreter and in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..i18n import _
from ..orientation import Orientation
from ..pictures import figure
from .wording import orientation_words, slice_order_words, words

if TYPE_CHECKING:
    from .result import Recognition


def line(recognition: Recognition) -> str:
    """The result in one line, for ``repr``."""
    total = len(recognition.slice_indices)
    told = [f"{recognition.decision}: {int(recognition.orientation)} {recognition.orientation.name}"]
    if recognition.decided_by == "user":
        told.append("decided by the user")
    else:
        told.append(f"{recognition.votes[recognition.orientation]} of {total} slices")
        told.append(f"confidence {recognition.confidence:.3f}")
    h = recognition.header_orientation
    told.append(f"header: {recognition.header_state if h is None else h.name}")
    if recognition.slice_order != "unknown":
        told.append(f"slices {recognition.slice_order}")
    if recognition.conflict:
        told.append("mirrored" if recognition.mirrored else "conflict")
    return f"Recognition({', '.join(told)})"


def html(recognition: Recognition) -> str:
    """The result for a notebook: the picture as stored, the words, and a bar for each class that got a vote."""
    lines = [words(recognition)]
    way = slice_order_words(recognition.slice_order)
    if way:
        lines.append(_("The slices run {way}.").format(way=way))
    return figure(recognition.preview, lines, _votes(recognition))


def _votes(recognition: Recognition) -> str:
    total = int(recognition.votes.sum())
    rows = "".join(
        f'<tr><td style="text-align:left">{int(k)} {escape(orientation_words(k))}</td>'
        f'<td style="text-align:right">{int(recognition.votes[k])}</td>'
        '<td style="text-align:left;width:8em"><div style="background:#5b8def;height:.8em;'
        f'width:{100 * recognition.votes[k] / total:.0f}%"></div></td></tr>'
        for k in sorted(Orientation, key=lambda k: -recognition.votes[k])
        if recognition.votes[k]
    )
    if not rows:
        return ""
    stored, votes = _("stored"), _("votes")
    head = f"<tr><th>{escape(stored)}</th><th>{escape(votes)}</th><th></th></tr>"
    return f'<table style="margin:.5em 0 0 0"><thead>{head}</thead><tbody>{rows}</tbody></table>'
