"""Sentences in Slicer's language: as they are elsewhere, and never one that cannot be filled in."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

from CMROrientLib.i18n import _, in_slicer
from CMROrientLib.orientation import Orientation

CONTEXTS: list[str] = []


def translate(context: str, text: str) -> str:
    """A language with few words, and two sentences that were translated wrongly."""
    CONTEXTS.append(context)
    words = {"transposed": "transponiert", "{count} images": "{zahl} Bilder", "{name} is here": "hier ist {name"}
    return words.get(text, text)


@pytest.fixture
def in_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Slicer of two modules: no more of it is asked."""
    slicer, i18n = types.ModuleType("slicer"), types.ModuleType("slicer.i18n")
    slicer.app, slicer.i18n = object(), i18n  # type: ignore[attr-defined]
    i18n.translate = translate  # type: ignore[attr-defined]
    i18n.getContext = lambda path: path  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "slicer", slicer)


def test_outside_of_slicer_a_sentence_is_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "slicer", None)
    assert not in_slicer() and _("transposed") == "transposed"


def test_slicers_libraries_without_its_application_are_not_slicer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "slicer", types.ModuleType("slicer"))
    assert not in_slicer() and _("transposed") == "transposed"


def test_an_application_that_has_no_translations_yet_leaves_a_sentence_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "slicer", types.SimpleNamespace(app=object()))
    assert in_slicer() and _("transposed") == "transposed"


@pytest.mark.usefixtures("in_an_application")
def test_inside_slicer_its_translator_is_asked_for_the_callers_file() -> None:
    CONTEXTS.clear()
    assert in_slicer() and _("transposed") == "transponiert"
    assert [__file__] == CONTEXTS
    assert Orientation.TRANSPOSE.label == "transponiert"
    assert CONTEXTS[-1].endswith("orientation.py")


@pytest.mark.usefixtures("in_an_application")
@pytest.mark.parametrize("text", ["{count} images", "{name} is here"])
def test_a_translation_that_cannot_be_filled_in_is_not_taken(text: str) -> None:
    assert _(text) == text


def test_the_library_brings_no_part_of_slicer() -> None:
    code = "import sys, CMROrientLib.i18n, CMROrientLib.orientation; print({'slicer', 'vtk', 'qt'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
