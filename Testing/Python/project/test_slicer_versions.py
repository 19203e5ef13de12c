"""The matrix over Slicer's versions: the newest release of each, what cannot be had is named, failures count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import parts
import pytest

sys.path.insert(0, str(parts.REPOSITORY / "Testing"))
import slicer_versions

FILE = "Base/Python/slicer/ScriptedLoadableModule.py"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with releases 5.10.0, 5.10.2, 5.12.0 and a main branch; each says in its files what it is."""
    folder = tmp_path / "Slicer"
    parts.need_program("git")

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)

    for name in (FILE, "Utilities/Scripts/update_translations.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    git("init", "--initial-branch", "main")
    for said in ("v5.10.0", "v5.10.2", "v5.12.0", "main"):
        (folder / FILE).write_text(f"# {said}\n")
        git("add", ".")
        git("commit", "-m", said)
        if said != "main":
            git("tag", said)
    return folder


def test_each_version_is_laid_out_as_its_newest_release_and_main(clone: Path, tmp_path: Path) -> None:
    bases = list(slicer_versions.found(clone, "", tmp_path / "out"))
    said = [(base.folder / "slicer" / "ScriptedLoadableModule.py").read_text().strip("# \n") for base in bases]
    assert said == ["v5.10.2", "v5.12.0", "main"]
    assert [base.name.split()[0] for base in bases] == ["5.10", "5.12", "main"]
    assert [base.pydicom for base in bases] == ["2.4.4", "", ""]
    assert (bases[0].folder.parents[1] / "Utilities" / "Scripts" / "update_translations.py").is_file()


def test_several_folders_are_taken_and_what_is_none_is_named(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import os

    given = os.pathsep.join((str(clone / "Base" / "Python"), str(clone)))
    assert [base.folder for base in slicer_versions.found(None, given, clone)] == [clone / "Base" / "Python"]
    assert "skipped, this is not" in capsys.readouterr().out


def test_a_version_that_the_clone_lacks_is_named(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "-C", str(clone), "tag", "--delete", "v5.12.0"], check=True, capture_output=True)
    assert len(list(slicer_versions.found(clone, "", tmp_path / "out"))) == 2
    assert "5.12: skipped" in capsys.readouterr().out


def test_without_any_sources_it_says_so_and_skips(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLICER_CLONE", raising=False)
    monkeypatch.delenv("SLICER_BASE_PYTHON", raising=False)
    assert slicer_versions.main([]) == 0
    assert "skipped: neither SLICER_CLONE" in capsys.readouterr().out


@pytest.mark.parametrize("passes", [True, False])
def test_a_test_that_fails_with_one_version_fails_the_matrix(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], passes: bool
) -> None:
    test = tmp_path / "test_it.py"
    code = "import os\ndef test_it():\n    base = os.environ['SLICER_BASE_PYTHON']\n"
    test.write_text(code + ("    assert base\n" if passes else "    assert '5.12' not in base\n"))
    monkeypatch.delenv("SLICER_BASE_PYTHON", raising=False)
    monkeypatch.setattr(slicer_versions, "PYDICOM", {})
    assert slicer_versions.main(["--clone", str(clone), str(test)]) == (0 if passes else 1)
    lines = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("Slicer 5") or "Slicer main" in line
    ]
    assert len(lines) == 3 and ["passed" in line for line in lines] == [True, passes, True]
