"""What a plain install brings with it is known by name and version."""

from __future__ import annotations

import json
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
