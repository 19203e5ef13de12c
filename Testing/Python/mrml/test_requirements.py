"""What Slicer's Python lacks, or has in too old a version, and what people are told to do."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shlex
from types import SimpleNamespace

import pytest

from CMROrientLib.mrml import requirements
from CMROrientLib.mrml.requirements import FOR_FILES, FOR_NETWORK, install_by_hand, missing, states


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


@pytest.mark.parametrize("folder", [r"C:\Users\me\new wheels", r"D:\temp\1", "/media/stick/wheels"])
def test_the_advice_for_a_machine_without_a_connection_survives_its_paths(
    installed: dict[str, str], folder: str
) -> None:
    installed["pydicom"] = "2.4.4"
    said = install_by_hand(["onnxruntime>=1.17", *missing(FOR_FILES)])
    (command,) = [part for part in said.split("enter ") if "--no-index" in part]
    asked = as_slicer_hands_it_to_pip(command.partition(". ")[0].rstrip(".").replace("FOLDER", folder))
    assert asked == ["--no-index", "--find-links", folder, "onnxruntime", "pydicom>=3.0"]


def as_slicer_hands_it_to_pip(command: str) -> list[str]:
    """What a command typed into Slicer's console gives to pip: strings are split as by a shell, lists are not."""
    given: list[list[str]] = []

    def pip_install(requirements: str | list[str]) -> None:
        given.append(shlex.split(requirements) if isinstance(requirements, str) else requirements)

    exec(command, {"slicer": SimpleNamespace(util=SimpleNamespace(pip_install=pip_install))})
    return given[0]


def test_the_state_of_each_package_is_told_with_its_version(
    installed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.update(pydicom="2.4.4", nibabel="5.3.2")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "tqdm" else find(name))
    said = [str(state) for state in states(FOR_FILES)]
    assert "nibabel 5.3.2" in said
    assert "pydicom 2.4.4 is too old (3.0 is the least)" in said
    assert "tqdm is missing" in said
    assert [state.problem for state in states(FOR_FILES)].count("") == len(FOR_FILES) - 2


def test_a_package_of_another_name_with_the_same_modules_is_told_without_a_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", unknown)
    assert [str(state) for state in states(FOR_NETWORK)] == ["onnxruntime", "scipy"]
