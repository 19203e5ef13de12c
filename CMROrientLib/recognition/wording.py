"""The sentences in which people read a result: panel, report and command line say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..i18n import _
from ..orientation import Orientation
from ..slice_order import FoundOrder
from .measures import beyond_the_border

if TYPE_CHECKING:
    from .result import Recognition

#: Hearts of most people lie further from a border, in degrees.
_NEAR = 15.0


def words(recognition: Recognition) -> str:
    """The result in a sentence or two, for panel, report and command line."""
    if recognition.decision == "not_short_axis":
        return _("This does not look like a short-axis image; it is left alone.")
    sentences = (
        _pixels_in_words(recognition),
        _border_in_words(recognition),
        _header_in_words(recognition),
        _slices_in_words(recognition),
        _group_in_words(recognition),
    )
    return " ".join(filter(None, sentences))


def orientation_words(orientation: Orientation) -> str:
    """How an image is stored, to follow the word "stored"."""
    return _("in standard orientation") if orientation is Orientation.IDENTITY else orientation.label


def slice_order_words(order: FoundOrder) -> str:
    """Which way the slices run; empty where nobody knows."""
    return {"base_first": _("from base to apex"), "apex_first": _("from apex to base"), "unknown": ""}[order]


def confidence_words(sure: float) -> str:
    """A confidence in two digits, never rounded up to certainty."""
    return _("over 0.99") if sure >= 0.995 else f"{sure:.2f}"


def _pixels_in_words(recognition: Recognition) -> str:
    total = len(recognition.slice_indices)
    if recognition.decided_by == "user":
        sentence = _("Stored {how}, as the user decided.")
    elif recognition.decision == "uncertain" and total == 1:
        sentence = _(
            "Uncertain: most probably stored {how} ({votes} of {total} slice, confidence {confidence}); "
            "it is left alone."
        )
    elif recognition.decision == "uncertain":
        sentence = _(
            "Uncertain: most probably stored {how} ({votes} of {total} slices, confidence {confidence}); "
            "it is left alone."
        )
    elif total == 1:
        sentence = _("Stored {how}: {votes} of {total} slice, confidence {confidence}.")
    else:
        sentence = _("Stored {how}: {votes} of {total} slices, confidence {confidence}.")
    return sentence.format(
        how=orientation_words(recognition.orientation),
        votes=recognition.votes[recognition.orientation],
        total=total,
        confidence=confidence_words(recognition.confidence),
    )


def _border_in_words(recognition: Recognition) -> str:
    """Why an image is uncertain: its heart lies turned nearly as far as that of the next orientation."""
    angle, margin = recognition.angle, recognition.margin
    if recognition.decision != "uncertain" or angle is None or margin is None or margin > _NEAR:
        return ""
    if recognition.dissent or recognition.plane_contradicts:
        # The angle is held against the orientation of the group, which may be none of this image's.
        return ""
    sentence = _("The heart lies {degrees:.0f}° from the border to the next orientation, stored {how}.")
    return sentence.format(degrees=margin, how=orientation_words(beyond_the_border(recognition.orientation, angle)))


def _left_for_its_plane(recognition: Recognition) -> bool:
    """Whether an image is left alone because it may be another view, by its header or by its pixels."""
    if recognition.decision != "uncertain" or recognition.view != "unknown":
        return False
    # Models that cannot tell other views leave every view unknown.
    return recognition.header_state == "other_plane" or recognition.not_short_axis > 0


def _plane_in_words(recognition: Recognition) -> str:
    """Why the view keeps an image from being acted on, and what can be done."""
    # In a group it may be another one's header that does.
    if recognition.plane_contradicts and recognition.header_state == "known":
        return _(
            "The pixels look like another view than the short axis, the header names a short-axis plane: "
            "not acted on; say how it is stored to decide."
        )
    if recognition.header_state != "other_plane":
        return _("It may be another view than the short axis: not acted on; say how it is stored to decide.")
    if len({slice_ for _phase, slice_ in recognition.slice_indices.tolist()}) == 1:
        return _(
            "The header names another plane than the short axis, the pixels look like a short axis: "
            "one slice is not acted on then; say how it is stored to decide."
        )
    return _(
        "The header names another plane than the short axis, the pixels look like a short axis, "
        "but not beyond doubt: not acted on; say how it is stored to decide."
    )


def _header_in_words(recognition: Recognition) -> str:
    header = recognition.header_orientation
    if _left_for_its_plane(recognition):
        return _plane_in_words(recognition)
    if recognition.header_state == "other_plane":
        return _("The header names another plane than the short axis.")
    if header is None:
        return _("The header says nothing about the orientation.")
    if header == recognition.orientation:
        return _("The header says the same.")
    if recognition.acted_on and recognition.mirrored:
        return _(
            "Pixels and header differ by a mirror: left and right are exchanged in one of them, "
            "or the header has the slice's viewing side wrong."
        )
    if recognition.acted_on:
        sentence = _("The header contradicts this: it says stored {how}.")
    else:
        sentence = _("The header says stored {how}.")
    return sentence.format(how=orientation_words(header))


def _slices_in_words(recognition: Recognition) -> str:
    """Only where something is wrong with their order: the rest stands beside the sentences."""
    order, header = recognition.slice_order, recognition.header_slice_order
    if not recognition.acted_on or order == "unknown" or header is None or order == header:
        return ""
    return _("The slices run {way}; the header says the other way.").format(way=slice_order_words(order))


def _group_in_words(recognition: Recognition) -> str:
    """With how many images it was decided on, and whether they agree."""
    if recognition.dissent:
        sentence = _("Images that belong together are sure of different orientations ({classes}).")
        return sentence.format(classes="; ".join(orientation_words(k) for k in recognition.dissent))
    if recognition.together == 2:
        return _("Decided together with one other image.")
    if recognition.together > 2:
        return _("Decided together with {count} other images.").format(count=recognition.together - 1)
    return ""
