"""Packages that Slicer's Python does not bring, and how to get them into it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
from dataclasses import dataclass
from typing import Literal

from ..i18n import _

#: Import name and requirement of what recognition needs beyond NumPy, without which Slicer does not start. Slicer
#: brings SciPy; a build that takes the system's Python may lack it. PyTorch is not among them.
FOR_NETWORK = {"onnxruntime": "onnxruntime>=1.17", "scipy": "scipy>=1.10"}

#: What CUDA needs beyond PyTorch; without it the network runs on the CPU.
FOR_CUDA = {"safetensors": "safetensors>=0.4"}

#: What reading and writing files needs beyond them: commands that work on folders.
FOR_FILES = {
    "nibabel": "nibabel>=5.2",
    "SimpleITK": "SimpleITK>=2.3",
    "pydicom": "pydicom>=3.0",
    "PIL": "pillow>=10.1",
    "tqdm": "tqdm>=4.66",
    "jinja2": "jinja2>=3.1",
    "markupsafe": "markupsafe>=2.1",
}

#: What Save as DICOM needs of them.
FOR_DICOM = {"pydicom": FOR_FILES["pydicom"]}


@dataclass(frozen=True)
class State:
    """What there is of one package.

    Parameters
    ----------
    name, version:
        As its index knows it; no version where there is no such package, or another that brings the same modules.
    least:
        The oldest version that does.
    problem:
        ``missing``, ``old``, or nothing.
    """

    name: str
    version: str
    least: str
    problem: Literal["", "missing", "old"]

    def __str__(self) -> str:
        if self.problem == "missing":
            return _("{package} is missing").format(package=self.name)
        if self.problem == "old":
            said = _("{package} {version} is too old ({least} is the least)")
            return said.format(package=self.name, version=self.version, least=self.least)
        return f"{self.name} {self.version}".strip()


def states(needed: dict[str, str]) -> list[State]:
    """What there is of each package that is needed; nothing is imported to find out."""
    importlib.invalidate_caches()
    return [_state(name, requirement) for name, requirement in needed.items()]


def missing(needed: dict[str, str]) -> list[str]:
    """The requirements whose packages cannot be found or are too old; nothing is imported to find out."""
    found = zip(needed.values(), states(needed), strict=True)
    return [requirement for requirement, state in found if state.problem]


def names(requirements: list[str]) -> str:
    """The packages' names without their versions, with blanks between them."""
    return " ".join(_name(requirement) for requirement in requirements)


def install_by_hand(requirements: list[str]) -> str:
    """What to do, with and without a connection; for what is too old, to its requirement."""
    versions = {requirement: _old_version(requirement) for requirement in requirements}
    absent = names([requirement for requirement, version in versions.items() if version is None])
    said = [_("Slicer lacks {packages}.").format(packages=absent)] if absent else []
    for requirement, version in versions.items():
        if version is not None:
            sentence = _("Slicer's {package} {version} is too old, {least} is the least.")
            least = requirement.partition(">=")[2]
            said.append(sentence.format(package=_name(requirement), version=version, least=least))
    # pip leaves an old package where it is unless it is told which version is wanted.
    wanted = [_name(requirement) if version is None else requirement for requirement, version in versions.items()]
    said.append(
        _(
            "Enter once in Slicer's Python console: slicer.util.pip_install('{packages}'). "
            "Without a connection: on a computer of the same kind run “pip download {quoted} -d FOLDER” with the "
            "Python version of this Slicer, bring FOLDER here, and enter "
            "slicer.util.pip_install(['--no-index', '--find-links', r'FOLDER', {listed}])."
        ).format(
            packages=" ".join(wanted),
            quoted=" ".join(_quoted(one) for one in wanted),
            # As a list: what is one string is split as a shell does it, and a Windows path loses its backslashes.
            listed=", ".join(repr(one) for one in wanted),
        )
    )
    if len(absent.split()) < len(requirements):
        said.append(_("Then restart Slicer."))
    return " ".join(said)


def _name(requirement: str) -> str:
    return requirement.partition(">")[0]


def _quoted(requirement: str) -> str:
    """As a shell takes it: a bare ``>`` would name a file."""
    return f'"{requirement}"' if ">" in requirement else requirement


def _state(name: str, requirement: str) -> State:
    package, _sign, least = requirement.partition(">=")
    version = installed_version(package)
    if importlib.util.find_spec(name) is None:
        return State(package, "", least, "missing")
    return State(package, version, least, "old" if _old_version(requirement) is not None else "")


def installed_version(package: str) -> str:
    """The version of a package, empty where none is installed under this name; nothing is imported."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _old_version(requirement: str) -> str | None:
    """The installed version where it is below the requirement's; None where it is not, or cannot be told."""
    name, _sign, least = requirement.partition(">=")
    version = installed_version(name)
    installed = _numbers(version)
    return version if installed and installed < _numbers(least) else None


def _numbers(version: str) -> list[int]:
    """The numbers in front of a version, without zeros at the end: 3.0 is as new as 3."""
    found = re.match(r"\d+(\.\d+)*", version)
    parts = [int(part) for part in found.group().split(".")] if found else []
    while parts and parts[-1] == 0:
        parts.pop()
    return parts
