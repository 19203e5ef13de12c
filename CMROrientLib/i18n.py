"""Sentences in the language that Slicer speaks; English everywhere else.

``_`` takes a literal, never an f-string or a name: Slicer's script finds the literals and gives them to translators.
What changes goes in afterwards: ``_("{count} images").format(count=3)``. A whole sentence is one literal, because other
languages put their words in another order.
"""

from __future__ import annotations

import string
import sys


def _(text: str) -> str:
    """A sentence of the calling module, as a translator put it."""
    slicer = sys.modules.get("slicer")
    # Slicer reads its translations with its first scripted module.
    if slicer is None or not in_slicer() or not hasattr(slicer, "i18n"):
        return text
    # Slicer's own ``tr`` would take this file for the one that the sentence stands in.
    context = slicer.i18n.getContext(sys._getframe(1).f_code.co_filename)
    translated = str(slicer.i18n.translate(context, text))
    return translated if _fields(translated) == _fields(text) else text


def in_slicer() -> bool:
    """Whether this runs inside Slicer's application, not beside its libraries."""
    return hasattr(sys.modules.get("slicer"), "app")


def _fields(text: str) -> set[str] | None:
    """What a text has to be filled in with; None where nothing can be."""
    try:
        return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}
    except ValueError:
        return None
