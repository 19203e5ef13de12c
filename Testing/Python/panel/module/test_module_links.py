"""Where the module sends people to read on."""

from __future__ import annotations

import re

import parts
import pytest
from slicer_host import application, host, scene  # noqa: F401

pytestmark = pytest.mark.usefixtures("scene")

PAGES = "https://github.com/CMROrient/SlicerCMROrient/blob/main/"


def test_the_links_of_the_module_lead_to_pages_that_are_there() -> None:
    host.load_module()
    from CMROrientPanel import texts

    links = re.findall(r'href="([^"]+)"', texts.HELP + texts.ACKNOWLEDGEMENT)
    own = [link.removeprefix(PAGES) for link in links if link.startswith(PAGES)]
    assert len(own) == 4 and len(links) == 5
    for link in own:
        page, _sign, section = link.partition("#")
        path = parts.REPOSITORY / page
        assert path.is_file(), page
        assert not section or section in sections(path.read_text(encoding="utf-8")), link


def sections(markdown: str) -> set[str]:
    """The names under which GitHub shows the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", markdown, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
