"""What a report page shows, as a reader of its HTML finds it."""

from __future__ import annotations

import base64
from pathlib import Path

import html5lib

from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.record import Key


def pictures_on(page: Path) -> dict[Key, Thumbnails]:
    """The pictures of a page's rows by the keys of their records."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    tree = parser.parse(page.read_text(encoding="utf-8"))
    found = {}
    for row in tree.iterfind(".//tr[@data-path]"):
        shown = {
            cell.get("class"): base64.b64decode(image.get("src").partition("base64,")[2])
            for cell in row.iterfind("td")
            if (image := cell.find("img")) is not None
        }
        if "stored" in shown:
            found[row.get("data-path"), row.get("data-series")] = Thumbnails(shown["stored"], shown.get("corrected"))
    return found
