"""Scripts that Slicer runs without a window: whatever happens in them, they end it, or it would run for ever."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import parts
import pytest

from CMROrientLib.mrml.requirements import FOR_FILES

SCRIPTS = {
    "CMROrientLib/slicer_cli.py": "CMROrientLib.cli.main.main",
    "Documentation/examples/correct_folder.py": "CMROrientLib.correct_folder",
    "Documentation/examples/train_network.py": "CMROrientLib.cli.main.main",
}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_unexpected_error_is_printed_and_ends_slicer(
    script: str, error: type[BaseException], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if script.endswith("slicer_cli.py"):
        # It looks at the packages before anything else.
        parts.need_package("pydicom", FOR_FILES["pydicom"])

    def broken(*_: Any, **__: Any) -> None:
        raise error("broken on purpose")

    monkeypatch.setattr(SCRIPTS[script], broken)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", [script, "--", "IN", "OUT"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(parts.REPOSITORY / script), run_name="__main__")
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "Traceback" in said and "broken on purpose" in said


@pytest.mark.parametrize("place", [*SCRIPTS, "README.md"])
def test_people_are_told_the_option_that_ends_slicer_in_any_case(place: str, repository: Path) -> None:
    said = (repository / place).read_text(encoding="utf-8")
    commands = [line for line in said.splitlines() if line.startswith("Slicer --no-splash")]
    assert commands and all("--exit-after-startup" in line for line in commands)
