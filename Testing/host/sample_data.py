"""Slicer's module Sample Data: the real one beside Slicer's own ``Base/Python``, else as much of it as is asked for."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class SampleDataSource:
    sampleName: str
    uris: list[str]
    fileNames: list[str]
    nodeNames: list[str]
    thumbnailFileName: str
    customDownloader: Callable[[Any], Any]


class SampleDataLogic:
    """The sources by their category; the real one keeps them at ``slicer.modules``, too."""

    @staticmethod
    def registerCustomSampleDataSource(
        *,
        category: str,
        sampleName: str,
        uris: str,
        fileNames: str,
        nodeNames: str,
        thumbnailFileName: str,
        customDownloader: Callable[[Any], Any],
    ) -> None:
        source = SampleDataSource(sampleName, [uris], [fileNames], [nodeNames], thumbnailFileName, customDownloader)
        _sources().setdefault(category, []).append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category: str) -> list[SampleDataSource]:
        return _sources().get(category, [])

    def sourceForSampleName(self, sampleName: str) -> SampleDataSource | None:
        every = [source for sources in _sources().values() for source in sources]
        return next((source for source in every if source.sampleName == sampleName), None)


def _sources() -> dict[str, list[SampleDataSource]]:
    import slicer

    if "sampleDataSources" not in vars(slicer.modules):
        slicer.modules.sampleDataSources = {}
    return slicer.modules.sampleDataSources


def install(base_python: Path | None) -> None:
    """Put the module under its name, as Slicer does when it has started."""
    real = base_python and base_python.parents[1] / "Modules" / "Scripted" / "SampleData" / "SampleData.py"
    if real and real.is_file():
        spec = importlib.util.spec_from_file_location("SampleData", real)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = types.ModuleType("SampleData")
        module.SampleDataLogic, module.SampleDataSource = SampleDataLogic, SampleDataSource
    sys.modules["SampleData"] = module
