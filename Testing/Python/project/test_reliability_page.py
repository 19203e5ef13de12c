"""The page of promises is the one that its command writes, and names tests that are there."""

from __future__ import annotations

import json
import sys
from typing import Any

import parts
import pytest


@pytest.fixture
def reliability(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(parts.REPOSITORY / "Testing"))
    sys.modules.pop("reliability", None)
    import reliability

    return reliability


def test_the_page_is_written_from_the_figures(reliability: Any) -> None:
    figures = json.loads(reliability.KEPT.read_text(encoding="utf-8"))
    said = "write it anew: python Testing/reliability.py"
    assert reliability.PAGE.read_text(encoding="utf-8") == reliability.page(figures), said
    assert not [file for file, counts in figures.items() if counts.get("failed")]


def test_each_promise_is_held_by_tests_that_are_there(reliability: Any) -> None:
    for promise, files in reliability.PROMISES:
        missing = [file for file in files if not (parts.REPOSITORY / reliability.TESTS / file).is_file()]
        assert files and not missing, promise


def test_each_promise_was_run_and_held_when_the_page_was_written(reliability: Any) -> None:
    figures = json.loads(reliability.KEPT.read_text(encoding="utf-8"))
    named = [file for _promise, files in reliability.PROMISES for file in files]
    assert not [file for file in named if not figures.get(file, {}).get("passed")]
