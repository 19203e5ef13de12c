"""The panel's tests with Slicer's own ``Base/Python`` of several versions: ``python Testing/slicer_versions.py``.

The sources come from a clone of Slicer's repository (``--clone`` or the environment variable
``SLICER_CLONE``), each version's newest release and main; they are laid out in a temporary folder.
Folders ``Base/Python`` that lie somewhere already are taken from ``SLICER_BASE_PYTHON``, several parted
as in a search path. What cannot be had is named and left out. Versions run with the pydicom that they bring.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
#: Slicer's versions that the module is for; the last stands for its main branch.
VERSIONS = ("5.10", "5.12", "main")
#: Where a version brings another than the tests' own.
PYDICOM = {"5.10": "2.4.4"}
#: What is laid out: the base classes, and the script that gathers sentences.
PARTS = ("Base/Python", "Utilities/Scripts/update_translations.py")
TESTS = ("Testing/Python/panel", "Testing/Python/project/test_sentences.py")


@dataclass(frozen=True)
class Base:
    """One ``Base/Python``: its name in the table and its folder."""

    name: str
    folder: Path
    pydicom: str = ""


def git(clone: Path, *arguments: str) -> str:
    """What git prints; a bare clone or one with files."""
    directory = clone / ".git" if (clone / ".git").exists() else clone
    done = subprocess.run(["git", "--git-dir", str(directory), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def revision(clone: Path, version: str) -> str | None:
    """The newest release of a version (a tag), or the main branch; None where the clone has none."""
    if version == "main":
        refs = git(clone, "for-each-ref", "--format=%(refname)", "refs/heads/main", "refs/remotes/origin/main")
        return refs.splitlines()[0] if refs else None
    tags = [tag for tag in git(clone, "tag", "--list", f"v{version}.*").splitlines() if re.fullmatch(r"v[\d.]+", tag)]
    return max(tags, key=lambda tag: [int(part) for part in tag[1:].split(".")], default=None)


def lay_out(clone: Path, commit: str, folder: Path) -> Path:
    """Write the parts of one commit into a folder; returns its ``Base/Python``."""
    folder.mkdir(parents=True)
    archive = folder / "parts.tar"
    git(clone, "archive", "--output", str(archive), commit, *PARTS)
    with tarfile.open(archive) as parts:
        parts.extractall(folder, filter="data")
    archive.unlink()
    return folder / "Base" / "Python"


def found(clone: Path | None, given: str, folder: Path) -> Iterator[Base]:
    """Every ``Base/Python`` that can be had; says of the others why not."""
    for path in [Path(part) for part in given.split(os.pathsep) if part]:
        if (path / "slicer" / "ScriptedLoadableModule.py").is_file():
            yield Base(str(path), path)
        else:
            print(f"{path}: skipped, this is not Slicer's folder Base/Python")
    if clone is None:
        if not given:
            print("skipped: neither SLICER_CLONE (a clone of Slicer's repository) nor SLICER_BASE_PYTHON is set")
        return
    for version in VERSIONS:
        commit = revision(clone, version)
        if commit is None:
            print(f"{version}: skipped, {clone} has no such version")
        else:
            name = (
                f"{version} ({commit.rpartition('/')[2]}, {git(clone, 'rev-parse', '--short', commit + '^{commit}')})"
            )
            yield Base(name, lay_out(clone, commit, folder / version), PYDICOM.get(version, ""))


def run(base: Base, folder: Path, arguments: list[str]) -> tuple[bool, str]:
    """Run the tests with one ``Base/Python``; returns whether they pass and pytest's last line."""
    environment = {**os.environ, "SLICER_BASE_PYTHON": str(base.folder), "QT_QPA_PLATFORM": "offscreen"}
    note = ""
    if base.pydicom:
        older = folder / f"pydicom-{base.pydicom}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(older)]
        done = subprocess.run([*pip, f"pydicom=={base.pydicom}"], capture_output=True, text=True, check=False)
        environment["PYTHONPATH"] = os.pathsep.join((str(older), os.environ.get("PYTHONPATH", "")))
        note = f"; pydicom {base.pydicom}" if done.returncode == 0 else f"; pydicom {base.pydicom} cannot be had"
    command = [sys.executable, "-m", "pytest", "-q", *(arguments or TESTS)]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode:
        print("\n".join(lines[-60:]), done.stderr, sep="\n")
    return done.returncode == 0, (lines[-1] if lines else done.stderr.strip()) + note


def main(arguments: list[str] | None = None) -> int:
    """Run all versions and print a line for each; returns 1 where a test fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    clone = os.environ.get("SLICER_CLONE")
    parser.add_argument(
        "--clone", type=Path, default=Path(clone) if clone else None, help="clone of Slicer's repository"
    )
    parser.add_argument("tests", nargs="*", help="arguments of pytest; the panel's tests where none are given")
    chosen = parser.parse_args(arguments)
    passed = True
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for base in found(chosen.clone, os.environ.get("SLICER_BASE_PYTHON", ""), folder):
            good, said = run(base, folder, chosen.tests)
            print(f"Slicer {base.name}: {said}", flush=True)
            passed &= good
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
