"""The page's templates, and how text from outside gets into them.

Autoescape is on for all of them; what HTML cannot hold even when escaped is replaced.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape

from ..orientation import Orientation
from .index import Index
from .rows import RowView
from .summary import Place, Summary
from .wording import number

# What HTML cannot hold: control characters, halves of surrogate pairs, non-characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

#: Templates whose lines and indents are not in the page, which has a row ten thousand times.
_ONE_LINE = ("row.html.jinja", "class.html.jinja")

#: A row is one line of the page, whatever is in its names.
_NEW_LINE = Markup("&#10;")


def presentable(value: object) -> object:
    """A template's value as HTML can hold it, on one line; escaping it is the template's business."""
    if isinstance(value, Markup):
        return value
    text = value if isinstance(value, str) else str(value)
    # Nearly all are: a page of ten thousand images has half a million values.
    if text.isprintable():
        return text
    text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return _NEW_LINE.join(escape(line) for line in text.split("\n"))


class _OneLine(Extension):
    """Takes lines and indents out of a template before it is compiled."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"\n *", "", source) if name in _ONE_LINE else source


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        finalize=presentable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        extensions=[_OneLine],
    )
    environment.filters["number"] = number
    environment.globals["orientations"] = tuple(Orientation)
    return environment


def row_line(image: RowView) -> str:
    """A row of the table as one line, so that the script finds its end."""
    return _environment().get_template("row.html.jinja").render(image=image, classes=_classes()) + "\n"


@lru_cache(maxsize=1)
def _classes() -> tuple[Markup, ...]:
    """The eight orientations as rows name them: ten thousand rows need not render them anew."""
    template = _environment().get_template("class.html.jinja")
    # What a template with escaping has rendered.
    return tuple(Markup(template.render(k=k)) for k in Orientation)  # nosec B704


def page_parts(summary: Summary, place: Place, first: Iterable[str], further: Iterable[str]) -> Iterator[str]:
    """A page, piece by piece.

    Parameters
    ----------
    summary, place:
        What all pages share, and which of them this is.
    first, further:
        Lines of ``row_line`` for the table proper and for the one that the script reads; taken in
        this order, as they are needed.
    """
    # Files of this package.
    css = Markup(_beside("report.css") + glyph_css())  # nosec B704
    script = Markup(_beside("report.js") + _beside("decide.js"))  # nosec B704
    template = _environment().get_template("page.html.jinja")
    return template.generate(
        summary=summary,
        style=summary.style,
        place=place,
        first=map(Markup, first),
        further=map(Markup, further),
        css=css,
        css_digest=_digest(css),
        script=script,
        script_digest=_digest(script),
    )


def index_parts(summary: Summary, index: Index) -> Iterator[str]:
    """The index of a report of many pages, piece by piece."""
    # Files of this package.
    css = Markup(_beside("report.css") + glyph_css())  # nosec B704
    script = Markup(_beside("index.js"))  # nosec B704
    template = _environment().get_template("index.html.jinja")
    return template.generate(
        summary=summary,
        style=summary.style,
        index=index,
        names=(Markup(_as_data(piece)) for piece in index.names),  # nosec B704 (nothing in it ends the element)
        css=css,
        css_digest=_digest(css),
        script=script,
        script_digest=_digest(script),
    )


def _as_data(text: str) -> str:
    """Lines for a script as an element of data can hold them."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text).replace("&", "&amp;").replace("<", "&lt;")


def glyph_css() -> str:
    """How each orientation turns the drawing of the standard one."""
    return _environment().get_template("glyphs.css.jinja").render()


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
