"""What every page of a report shows above its rows."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ..orientation import Orientation
from .style import Phrase, Style, Sums


class ModelName(NamedTuple):
    """A network and the checksum of its file, empty where it is not known."""

    name: str
    checksum: str


class Link(NamedTuple):
    """A file beside the page."""

    address: str
    label: str


@dataclass(frozen=True)
class RunFacts:
    """How the run was started.

    Parameters
    ----------
    arguments:
        Of the command; a line breaks between them, not at their hyphens.
    models, version, written, data:
        The networks, the package's version, when the page was written, and the records beside it.
    report:
        Another one for each report that is written: what was decided on pages of an earlier one is told by it.
    """

    arguments: tuple[str, ...]
    models: tuple[ModelName, ...]
    version: str
    written: str
    data: tuple[Link, ...]
    report: str


@dataclass(frozen=True)
class Summary:
    """What all pages of one report share.

    Parameters
    ----------
    title, style:
        What it is about.
    total, counts, classes:
        Images in all, in each group, and in each orientation.
    facts:
        How the run was started.
    sums:
        A table between the summary and the images, None for none.
    lead:
        The first sentence, on the whole run.
    """

    title: str
    style: Style
    total: int
    counts: Counter[str]
    classes: Counter[Orientation | None]
    facts: RunFacts
    sums: Sums | None
    lead: Sequence[Phrase]

    def next_command(self, decisions: str) -> str:
        """What to run with the decisions that were saved from the page, or from several into one folder."""
        typed = " ".join(self.facts.arguments)
        again = typed if typed.startswith("cmrorient correct ") else "cmrorient correct INPUT -o OUTPUT"
        return f"{again} --decisions {decisions}"


class Parted(NamedTuple):
    """One of several pages: its number, and the links to the index and to the pages before and after it."""

    number: int
    links: Sequence[Link]


class Place(NamedTuple):
    """Which of a report's pages one is.

    Parameters
    ----------
    parted:
        None where it is the only one.
    decisions:
        The name of the file that decisions are saved as.
    start, rows, total, further:
        The number of its first image, from 1, how many there are here and in all, and whether some wait for
        the script.
    """

    parted: Parted | None
    decisions: str
    start: int
    rows: int
    total: int
    further: bool


def run_facts(page: Path, command: str, models: Iterable[str], version: str) -> RunFacts:
    """How a run was started, for the page at its place; models are ``name@checksum``."""
    return RunFacts(
        arguments=tuple(command.split(" ")) if command else (),
        models=tuple(ModelName(*model.partition("@")[::2]) for model in models),
        version=version,
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z"),
        data=(Link(address(page.stem + ".jsonl"), "JSON lines"), Link(address(page.stem + ".csv"), "CSV")),
        report=secrets.token_hex(8),
    )


def address(name: str) -> str:
    """The address of a file in the page's folder; names of files need not be valid text."""
    return quote(os.fsencode(name))
