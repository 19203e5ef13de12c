"""What Slicer's Python lacks, or has in too old a version, and what people are told to do."""

from __future__ import annotations

import importlib.metadata

import pytest

from CMROrientLib.mrml import requirements
from CMROrientLib.mrml.requirements import FOR_FILES, FOR_NETWORK, install_by_hand, missing


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Versions of packages, as a Slicer has them; what is not named is as it is here."""
    versions: dict[str, str] = {}
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: versions.get(name) or real(name))
    return versions


@pytest.mark.parametrize("version", ["2.4.4", "2.9", "2", "2.99.0rc1"])
def test_a_package_that_is_too_old_is_missing(installed: dict[str, str], version: str) -> None:
    installed["pydicom"] = version
    assert missing(FOR_FILES) == ["pydicom>=3.0"]


@pytest.mark.parametrize("version", ["3.0", "3", "3.0.1", "3.1.0.dev0", "10.0", "v-unreadable"])
def test_a_package_that_is_new_enough_is_not(installed: dict[str, str], version: str) -> None:
    installed["pydicom"] = version
    assert missing(FOR_FILES) == []


@pytest.mark.parametrize("requirement", [*FOR_NETWORK.values(), *FOR_FILES.values()])
def test_every_package_is_looked_at(installed: dict[str, str], requirement: str) -> None:
    installed[requirement.partition(">")[0]] = "0.1"
    assert missing({**FOR_NETWORK, **FOR_FILES}) == [requirement]


def test_a_package_without_a_version_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", unknown)
    assert missing(FOR_FILES) == []


def test_what_is_too_old_is_told_with_what_to_do(installed: dict[str, str]) -> None:
    installed["pydicom"] = "2.4.4"
    said = install_by_hand(missing(FOR_FILES))
    assert "pydicom 2.4.4 is too old" in said and "3.0" in said and "restart Slicer" in said
    # Without its version pip would leave the old one where it is; a shell would take > for a file.
    assert "slicer.util.pip_install('pydicom>=3.0')" in said
    assert 'pip download "pydicom>=3.0"' in said


def test_what_is_not_there_at_all_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.importlib.util, "find_spec", lambda _name: None)
    said = install_by_hand(missing(FOR_NETWORK))
    assert "Slicer lacks onnxruntime scipy" in said and "too old" not in said
    assert "pip download onnxruntime scipy -d" in said
