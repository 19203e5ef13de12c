"""What a plain install brings with it is known by name and version."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import parts
import pytest


@pytest.fixture
def supply_chain(monkeypatch: pytest.MonkeyPatch) -> Any:
    parts.need_module("packaging")
    monkeypatch.syspath_prepend(str(parts.REPOSITORY / "Testing"))
    sys.modules.pop("supply_chain", None)
    import supply_chain

    return supply_chain


def test_it_is_what_a_plain_install_needs_and_no_more(supply_chain: Any) -> None:
    found = supply_chain.needed()
    assert {"numpy", "scipy", "pydicom", "nibabel", "onnxruntime", "simpleitk", "markupsafe"} <= found.keys()
    assert not {"torch", "monai", "pytest", "dask", "cmrorient"} & found.keys()


def test_the_bill_of_materials_names_each(supply_chain: Any, tmp_path: Path) -> None:
    parts.need_module("cyclonedx_py")
    assert supply_chain.sbom(tmp_path / "bill.json") == 0
    bill = json.loads((tmp_path / "bill.json").read_text())
    assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == "cmrorient"
    listed = {component["name"]: component["version"] for component in bill["components"]}
    assert listed == supply_chain.needed()


_TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n'
_AUDITED = {"dependencies": [{"name": "numpy", "version": "1", "vulns": []}, {"name": "rich", "skip_reason": "none"}]}
_FOUND = {"dependencies": [{"name": "numpy", "version": "1", "vulns": [{"id": "CVE-1"}]}]}


@pytest.mark.parametrize(
    ("told", "error", "status", "words"),
    [
        (_AUDITED, "", 0, "1 of 2 packages audited, 0 vulnerabilities"),
        (_FOUND, "Found 1 known vulnerability", 1, "numpy: CVE-1"),
        (None, f"{_TRACEBACK}requests.exceptions.ConnectionError: Failed to resolve 'pypi.org'", 0, "does not answer"),
        (None, "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed", 0, "does not answer"),
        (None, "/usr/bin/python: No module named pip_audit", 2, "No module named pip_audit"),
        (None, "pip-audit: error: unrecognized arguments: --no-dep", 2, "unrecognized arguments"),
        (None, f"{_TRACEBACK}AttributeError: no ConnectionError here", 2, "AttributeError"),
        (None, "", 2, "audit failed"),
        ({"fixes": []}, "", 2, "audit failed"),
    ],
)
def test_an_audit_that_cannot_run_is_no_audit(
    supply_chain: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    told: object,
    error: str,
    status: int,
    words: str,
) -> None:
    said = "" if told is None else json.dumps(told)
    done = subprocess.CompletedProcess([], 1, stdout=said, stderr=error)
    monkeypatch.setattr(supply_chain.subprocess, "run", lambda *_, **__: done)
    assert supply_chain.audit() == status
    assert words in "".join(capsys.readouterr())
