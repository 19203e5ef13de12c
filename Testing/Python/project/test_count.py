"""The figures of the code can be counted on this tree."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest


def test_every_figure_is_there(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(repository / "Testing")
    counts = importlib.import_module("count")
    # Takes longer than all others together.
    monkeypatch.setattr(counts, "duplicates", lambda checkout, files: "0")
    figures = counts.count(repository)
    assert len(figures) > 12 and "failed" not in figures.values()
    assert 10 < int(figures["modules that 'correct' imports"]) < 150


def test_where_an_option_is_listed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(repository / "Testing")
    counts = importlib.import_module("count")
    text = "def f(dry_run): g(dry_run=dry_run); add('--dry-run'); x.dry_run\nclass A:\n    dry_run: bool"
    assert len(list(counts.listings(ast.parse(text), "dry_run"))) == 4, "where it is used does not count"
