"""The panel's sentences."""

from __future__ import annotations

from slicer.i18n import tr as _

from CMROrientLib.mrml.dicom_series import SavedSeries
from CMROrientLib.mrml.output import slices_were_reversed
from CMROrientLib.mrml.session import Examined
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.result import Recognition
from CMROrientLib.recognition.wording import slice_order_words, words

#: Where people read on; a test holds that each page and section is there.
DOCUMENTATION = "https://github.com/CMROrient/SlicerCMROrient/blob/main"

# Slicer's script finds a sentence only where its last quotes are as its first.
HELP = _(
    "Recognizes from the pixels whether short-axis cardiac MR is flipped, mirrored or turned by 90°, holds it against "
    "what the header says, and writes the image in the standard orientation with geometry that is right.<br>"
    'Step by step: <a href="{tutorial}">tutorial</a>. What goes in and comes out, scripts, limits: '
    '<a href="{details}">details</a>.<br>'
    'Not a medical device. The bundled weights are for non-commercial research: <a href="{terms}">terms</a>'
    "."
).format(
    tutorial=f"{DOCUMENTATION}/README.md#in-3d-slicer",
    details=f"{DOCUMENTATION}/Documentation/Slicer.md",
    terms=f"{DOCUMENTATION}/CMROrientLib/recognition/models/LICENSE.md",
)
ACKNOWLEDGEMENT = _(
    "After Liu 2022, “Orientation recognition and correction of Cardiac MRI with deep neural network”, "
    '<a href="{paper}">arXiv 2211.11336</a>. <a href="{citation}">How to cite</a>'
    "."
).format(paper="https://arxiv.org/abs/2211.11336", citation=f"{DOCUMENTATION}/CITATION.cff")

GEOMETRY = {
    "auto": _(
        "Pixels and header are each corrected by their own error: a true header keeps every voxel where it is in the "
        "patient, an empty or standard one stays as it is. The best choice unless you know better."
    ),
    "follow": _(
        "The header is right: every voxel keeps its place in the patient, only the order in which it is stored changes."
    ),
    "keep": _("The header is wrong or empty: its directions stay as they are, and the anatomy moves to fit them."),
}

CONFLICT = _("CONFLICT — pixels and header tell different stories")
MIRRORED = _("CONFLICT — left and right may be exchanged")

#: Left border of the verdict, by decision; mid-tones that read on light and on dark.
COLOURS = {"standard": "#2f9e63", "reoriented": "#3f87c9", "uncertain": "#d9902f", "not_short_axis": "#8a8f94"}

NO_VERDICT = _("Nothing recognized yet. Choose an image and press Recognize.")

MODULE_LEFT = _("Nothing was written: the module was left while the image was looked at. Press Correct.")

TWO_LEFT_SIDES = _(
    "A mirrored image shows left as right, and no later step can tell. Write it only if you have looked at the image "
    "and the class is right."
)


#: So many images of a group are named; a stack has a dozen.
_NAMED = 3


def verdict(recognition: Recognition, decided: Recognition | None) -> str:
    """The result in words; a person's decision comes first where there is one."""
    said = words(recognition)
    if decided is None or decided.orientation == recognition.orientation:
        return said
    return _("<b>Your decision: {decision}.</b><br>The network said: {said}").format(
        decision=phrase(decided.orientation), said=said
    )


def facts(examined: Examined) -> str:
    """What else was found, a line each: the order of slices, and what it belongs to; empty without."""
    lines = (_slices(examined), _group(examined))
    return "<br>".join(filter(None, lines))


def _slices(examined: Examined) -> str:
    found = examined.recognition
    order, header = found.slice_order, found.header_slice_order
    if order == "unknown":
        return ""
    if examined.group is not None and examined.group.kind == "stack":
        said = _("Slices of this stack, as the scene lists them: {way}.").format(way=slice_order_words(order))
    else:
        said = _("Slices as stored: {way}.").format(way=slice_order_words(order))
    if header is None or header == order:
        return said
    return said + " " + _("The header says {way}.").format(way=slice_order_words(header))


def _group(examined: Examined) -> str:
    """Whom it was decided on together with; only Apply to all corrects those, too."""
    if examined.group is None:
        return ""
    own = examined.image.main
    others = [image.name for image in examined.group.images if image.main is not own]
    listed = ", ".join(_("“{name}”").format(name=name) for name in others[:_NAMED])
    if len(others) > _NAMED:
        listed = _("{names} and {count} more").format(names=listed, count=len(others) - _NAMED)
    if examined.group.kind == "stack":
        said = _("Together with other series of this stack: {names}. Correct writes the chosen one only, {all} each.")
    else:
        said = _("Together with other sequences on this grid: {names}. Correct writes the chosen one only, {all} each.")
    return said.format(names=listed, all=_("Apply to all images"))


def stale(model: str, said: str) -> str:
    """A verdict of another model than the one that is chosen by now."""
    return _(
        "<b>Not of the chosen model.</b> “{model}” said what stands here; press Recognize for a new verdict.<br>{said}"
    ).format(model=model, said=said)


def phrase(orientation: Orientation) -> str:
    """A class in the words of a verdict: "stored upside down"."""
    if orientation is Orientation.IDENTITY:
        return _("stored in standard orientation")
    return _("stored {orientation}").format(orientation=orientation.label)


def conflict(result: Recognition) -> str | None:
    """Heading and sentence of the banner, None where pixels and header agree."""
    if not result.conflict:
        return None
    heading = MIRRORED if result.mirrored else CONFLICT
    pixels = phrase(result.orientation)
    if result.header_orientation is None:
        sentence = _("The pixels show an image {pixels}. The header describes another plane than the short axis.")
        said = [sentence.format(pixels=pixels)]
    else:
        sentence = _("The pixels show an image {pixels}. The header describes one {header}.")
        said = [sentence.format(pixels=pixels, header=phrase(result.header_orientation))]
    if result.mirrored:
        said.append(_("The two differ by a mirror; look at the image before you write anything."))
    return f"<p style='font-size:large; margin:0'><b>{heading}</b></p><p style='margin:4px 0 0 0'>{' '.join(said)}</p>"


def mirror_question(result: Recognition, name: str) -> str:
    """Asked before anything mirrored is written."""
    pixels = phrase(result.orientation)
    if result.header_orientation is None:
        said = _(
            "Pixels and header of “{name}” would differ by a mirror: the image is taken as {pixels}, "
            "the header says nothing."
        ).format(name=name, pixels=pixels)
    else:
        said = _(
            "Pixels and header of “{name}” would differ by a mirror: the image is taken as {pixels}, "
            "the header says {header}."
        ).format(name=name, pixels=pixels, header=phrase(result.header_orientation))
    return "\n\n".join((said, TWO_LEFT_SIDES, _("Write the mirrored image?")))


def mirror_question_all(names: list[str]) -> str:
    """Asked once before several mirrored images are written."""
    listed = "\n".join(f"•  {name}" for name in names)
    return "\n\n".join(
        (
            _("In these images pixels and header differ by a mirror:"),
            listed,
            TWO_LEFT_SIDES,
            _("Write them too? The others are written in any case."),
        )
    )


def written(name: str, slices_reversed: bool, followers: list[str]) -> str:
    """What a press of Correct made."""
    said = [_("Written: “{name}”.").format(name=name)]
    if followers:
        names = ", ".join(_("“{name}”").format(name=follower) for follower in followers)
        said.append(_("Followed: {names}.").format(names=names))
    if slices_reversed:
        said.append(slices_were_reversed())
    return " ".join(said)


def summary(corrected: list[str], left: list[tuple[str, str]], followers: list[str]) -> str:
    """What Apply to all did and did not do."""
    if len(corrected) == 1:
        done = _("1 image corrected.")
    else:
        done = _("{count} images corrected.").format(count=len(corrected))
    lines = [_("“{name}” left alone: {why}").format(name=name, why=why) for name, why in left]
    if followers:
        names = ", ".join(_("“{name}”").format(name=follower) for follower in followers)
        lines.insert(0, _("Followed: {names}.").format(names=names))
    return "<br>".join((f"<b>{done}</b>", *lines))


def saved_as_dicom(saved: SavedSeries) -> str:
    """What Save as DICOM made."""
    if saved.known:
        said = _("Slicer's DICOM database holds this correction already: series “{series}”, {count} files.")
    else:
        said = _(
            "Saved in Slicer's DICOM database: series “{series}”, {count} files, in the study of the original. "
            "Load it in the DICOM module."
        )
    return said.format(series=saved.description, count=saved.files)


def not_kept(name: str, *, removed: bool) -> str:
    """Why nothing is kept of an image that was looked at: it was removed meanwhile, or another one chosen."""
    if removed:
        return _("“{name}” was removed while it was looked at.").format(name=name)
    return _("Another image was chosen while “{name}” was looked at; nothing is kept of it.").format(name=name)
