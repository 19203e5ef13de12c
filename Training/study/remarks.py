"""What people saw, from ``remarks.toml``: the last part of the results, and the known failures in the cards."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from CMROrientLib.errors import CMROrientError
from CMROrientLib.recognition.typed_json import read_object

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The remarks of this tree.
REMARKS = Path(__file__).with_name("remarks.toml")

#: Characters in a line of a list.
_WIDTH = 124


@dataclass(frozen=True)
class Section:
    """Something to say.

    Parameters
    ----------
    heading:
        "" for what needs none.
    text:
        Markdown, taken over as it is.
    models, failures:
        Known failures, in sentences, and whose they are.
    """

    heading: str = ""
    text: str = ""
    models: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    def to_markdown(self) -> str:
        """Heading, text and list."""
        items = "\n".join(
            fill(
                sentence,
                _WIDTH,
                initial_indent="- ",
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            for sentence in self.failures
        )
        heading = f"## {self.heading}" if self.heading else ""
        return "\n\n".join(part for part in (heading, self.text.strip("\n"), items) if part)


@dataclass(frozen=True)
class Remarks:
    """All sections, in order."""

    sections: tuple[Section, ...] = ()

    def to_markdown(self) -> str:
        """The sections one after the other."""
        return "\n\n".join(section.to_markdown() for section in self.sections)

    def known_failures(self, model: str) -> tuple[str, ...]:
        """Those of a model."""
        return tuple(sentence for section in self.sections if model in section.models for sentence in section.failures)


def read_remarks(path: Path = REMARKS) -> Remarks:
    """The remarks in a file. Raises CMROrientError with the key that is unknown or wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for number, section in enumerate(data.get("sections", [])):
            read_object(Section, section, f"sections[{number}]", strict=True)
        return read_object(Remarks, data, strict=True)
    except (OSError, ValueError) as error:
        raise CMROrientError(f"these are no remarks: {error}", path) from error
