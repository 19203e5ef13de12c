"""The panel's sentences."""

from __future__ import annotations

from CMROrientLib.mrml.output import REVERSED
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.result import Recognition
from CMROrientLib.recognition.wording import words

HELP = (
    "Recognizes from the pixels whether short-axis cardiac MR is flipped, mirrored or turned by 90°, holds it against "
    "what the header says, and writes the image in the standard orientation with geometry that is right.<br>"
    "Not a medical device. The bundled weights are for non-commercial research; their terms are in "
    "CMROrientLib/recognition/models/LICENSE.md."
)
ACKNOWLEDGEMENT = (
    "After Liu 2022, “Orientation recognition and correction of Cardiac MRI with deep neural network” "
    "(arXiv 2211.11336)."
)

GEOMETRY = {
    "auto": (
        "Pixels and header are each corrected by their own error: a true header keeps every voxel where it is in the "
        "patient, an empty or standard one stays as it is. The best choice unless you know better."
    ),
    "follow": (
        "The header is right: every voxel keeps its place in the patient, only the order in which it is stored changes."
    ),
    "keep": "The header is wrong or empty: its directions stay as they are, and the anatomy moves to fit them.",
}

CONFLICT = "CONFLICT — pixels and header tell different stories"
MIRRORED = "CONFLICT — left and right may be exchanged"

#: Left border of the verdict, by decision; mid-tones that read on light and on dark.
COLOURS = {"standard": "#2f9e63", "reoriented": "#3f87c9", "uncertain": "#d9902f", "not_short_axis": "#8a8f94"}

NO_VERDICT = "Nothing recognized yet. Choose an image and press Recognize."

TWO_LEFT_SIDES = (
    "A mirrored image shows left as right, and no later step can tell. Write it only if you have looked at the image "
    "and the class is right."
)


def verdict(recognition: Recognition, decided: Recognition | None) -> str:
    """The result in words; a person's decision comes first where there is one."""
    said = words(recognition)
    if decided is None or decided.orientation == recognition.orientation:
        return said
    return f"<b>Your decision: {phrase(decided.orientation)}.</b><br>The network said: {said}"


def phrase(orientation: Orientation) -> str:
    """A class in the words of a verdict: "stored upside down"."""
    return f"stored in {orientation.label} orientation" if orientation == 0 else f"stored {orientation.label}"


def conflict(result: Recognition) -> str | None:
    """Heading and sentence of the banner, None where pixels and header agree."""
    if not result.conflict:
        return None
    heading = MIRRORED if result.mirrored else CONFLICT
    pixels = phrase(result.orientation)
    if result.header_orientation is None:
        header = "another plane than the short axis"
    else:
        header = phrase(result.header_orientation)
    sentence = f"The pixels show an image {pixels}. The header describes {_article(header)}."
    if result.mirrored:
        sentence += " The two differ by a mirror; look at the image before you write anything."
    return f"<p style='font-size:large; margin:0'><b>{heading}</b></p><p style='margin:4px 0 0 0'>{sentence}</p>"


def _article(header: str) -> str:
    return header if header.startswith("another") else f"one {header}"


def mirror_question(result: Recognition, name: str) -> str:
    """Asked before anything mirrored is written."""
    header = "nothing" if result.header_orientation is None else phrase(result.header_orientation)
    return (
        f"Pixels and header of “{name}” would differ by a mirror: the image is taken as {phrase(result.orientation)}, "
        f"the header says {header}.\n\n{TWO_LEFT_SIDES}\n\nWrite the mirrored image?"
    )


def mirror_question_all(names: list[str]) -> str:
    """Asked once before several mirrored images are written."""
    listed = "\n".join(f"•  {name}" for name in names)
    return (
        f"In these images pixels and header differ by a mirror:\n\n{listed}\n\n{TWO_LEFT_SIDES}\n\n"
        "Write them too? The others are written in any case."
    )


def written(name: str, slices_reversed: bool, followers: list[str]) -> str:
    """What a press of Correct made."""
    said = [f"Written: “{name}”."]
    if followers:
        said.append("Followed: " + ", ".join(f"“{follower}”" for follower in followers) + ".")
    if slices_reversed:
        said.append(REVERSED)
    return " ".join(said)


def summary(corrected: list[str], left: list[tuple[str, str]]) -> str:
    """What Apply to all did and did not do."""
    lines = [f"<b>{len(corrected)} image{'' if len(corrected) == 1 else 's'} corrected.</b>"]
    lines += [f"“{name}” left alone: {why}" for name, why in left]
    return "<br>".join(lines)
