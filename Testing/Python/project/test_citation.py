"""How the software is cited: the file that GitHub and reference managers read says what the package says."""

from __future__ import annotations

from pathlib import Path

import parts

from CMROrientLib import __version__


def test_the_citation_says_what_the_package_says(repository: Path) -> None:
    citation = parts.need_module("yaml").safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (citation["cff-version"], citation["title"], citation["type"]) == ("1.2.0", "CMROrient", "software")
    assert citation["version"] == __version__
    # The day of the version is that of the change log.
    changes = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}] - {citation['date-released']}\n" in changes
    assert f"{citation['repository-code']}/" in changes
    package = (repository / "pyproject.toml").read_text(encoding="utf-8")
    assert f'license = "{citation["license"]}"' in package
    assert f'authors = [{{ name = "{citation["authors"][0]["name"]}" }}]' in package
    (paper,) = citation["references"]
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert paper["url"] in readme
    assert paper["title"] in readme
