"""What people call on files and folders: runs with the page that shows them, audits, and the way back."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from . import __version__
from .audit.audit import audit_run
from .orientation import Orientation
from .progress import ItemProgress
from .recognition.result import Looks
from .report.page import write_report
from .restore.restore import Restored, restore
from .run import folder
from .run.files import checksum
from .run.folder import Warn
from .run.options import Companions, Inputs, NamePattern, RunOptions
from .run.record import Record
from .run.store import Store
from .run.tables import HTML_NAME
from .run.work import Outcome

#: Version, command, names and checksum of the pages.
_PAGES = "pages"


def correct(
    options: RunOptions,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    fail: Warn | None = None,
) -> Sequence[Record]:
    """Correct every image into the output folder and write the page there; see ``run.folder.correct``."""

    def page(store: Store) -> None:
        assert options.output is not None
        page = options.output / HTML_NAME
        told, made = store.fact(_PAGES), [__version__, options.command]
        if not store.changed and told is not None and _as_left(page, made, told):
            return
        pages = write_report(store, page, store.pictures, command=options.command)
        names = [path.name for path in pages]
        store.note(_PAGES, json.dumps([made, names, checksum(pages)]))

    return folder.correct(options, progress, warn, page, fail)


def _as_left(page: Path, made: list[str], told: str) -> bool:
    """Whether the pages are those that this version wrote for the same command and records."""
    before, names, found = json.loads(told)
    pages = [page.with_name(name) for name in names]
    return before == made and all(path.is_file() for path in pages) and checksum(pages) == found


def correct_folder(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    **options: Any,
) -> list[Record]:
    """Correct every image of files and folders into another folder, and keep the record there.

    The tree keeps its shape; inputs are never changed. A second call does only what is missing or
    has changed since. Scripts that ask for several ``jobs`` need the guard
    ``if __name__ == "__main__":``, because the workers import them.

    Parameters
    ----------
    inputs, output, options:
        The fields of ``RunOptions``, which tells each.
    progress, warn:
        Called after each image with (outcome, images done, images), and with things to know.

    Returns
    -------
    The records of these inputs, in the order of their names.

    Raises
    ------
    UsageError
        For a wrong call, before anything is written.
    CMROrientError
        Where there is no image, or the output folder cannot be written.
    """
    told = RunOptions(inputs=inputs, output=output, **options)  # type: ignore[arg-type]
    return list(correct(told, progress, warn))


def recognize_folder(
    inputs: Inputs,
    *,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    **options: Any,
) -> Iterator[Outcome]:
    """Recognize every image of files and folders; nothing is written. See ``run.folder.recognize``."""
    return folder.recognize(RunOptions(inputs=inputs, **options), progress, warn)  # type: ignore[arg-type]


def audit_folder(
    inputs: Inputs,
    report: str | os.PathLike[str],
    *,
    model: str | Path = "universal",
    device: str = "auto",
    averaging: bool = True,
    min_confidence: float | None = None,
    looks: Looks = "auto",
    masks: Sequence[str] = (),
    companions: Companions = "auto",
    masks_in: Sequence[str] = (),
    mask_names: Sequence[NamePattern | str] = (),
    slice_axis: int | None = None,
    orientation: Orientation | int | str | None = None,
    decisions: Sequence[str | os.PathLike[str]] | str | os.PathLike[str] | None = (),
    jobs: int = 1,
    dask: str | None = None,
    include_identifiers: bool = False,
    command: str = "",
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
) -> list[Record]:
    """Hold the headers of files and folders against their pixels, and write a report; images are only read.

    Scripts that ask for several ``jobs`` need the guard ``if __name__ == "__main__":``, because the
    workers import them.

    Parameters
    ----------
    inputs:
        One or more files and folders: NIfTI, NRRD, MetaImage and DICOM.
    report:
        The HTML page to write, or a folder for it. JSON lines (a record a line with ``verdict`` and ``words``)
        and CSV come beside it under the same name. An earlier audit there is replaced, any other file is not.
    model, device, averaging, min_confidence, looks, masks, companions, masks_in, mask_names, slice_axis, orientation, \
    decisions, jobs, dask, include_identifiers, command:
        The fields of ``RunOptions``, which tells each.
    progress, warn:
        Called after each image with (outcome, images done, images), and with things to know.

    Returns
    -------
    The records, in the order of their paths, which are relative to the given folders: all of them in memory, as
    those of ``correct_folder``. The audit itself keeps them on disk beside the report until it is written.

    Raises
    ------
    UsageError
        For a wrong call, before anything is written.
    CMROrientError
        Where there is no image, or the report cannot be written.
    """
    options = RunOptions(
        inputs=inputs,  # type: ignore[arg-type]
        model=model,
        device=device,
        averaging=averaging,
        min_confidence=min_confidence,
        looks=looks,
        masks=tuple(masks),
        companions=companions,
        masks_in=tuple(masks_in),
        mask_names=mask_names,  # type: ignore[arg-type]
        slice_axis=slice_axis,
        orientation=orientation,  # type: ignore[arg-type]
        decisions=decisions,  # type: ignore[arg-type]
        jobs=jobs,
        dask=dask,
        include_identifiers=include_identifiers,
        pictures=True,
        command=command,
    )
    return list(audit_run(options, report, progress=progress, warn=warn))


def restore_folder(
    out: str | os.PathLike[str],
    segmentations: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    suffix: str = "",
    overwrite: bool = False,
    progress: ItemProgress[Restored] | None = None,
) -> list[Restored]:
    """Put segmentations of the images that ``correct_folder`` wrote back onto the grids of the originals.

    Voxels are moved, not resampled: labels ``[slice, row, column]`` of the corrected image come back in the
    original's order, with the original's spacing (mm), directions and origin (LPS).

    Parameters
    ----------
    out:
        The output folder of ``correct_folder``, with its record.
    segmentations:
        A folder of NIfTI, NRRD or MetaImage files with the paths of the corrected images, or one such file.
        They are not changed.
    destination:
        The folder to write to, outside of the other two.
    suffix:
        Ending of the segmentations' names before the extension, such as ``_pred``. Files without it are
        passed over.
    overwrite:
        Replace files that are there already.
    progress:
        Called after each segmentation with (what became of it, segmentations done, segmentations).

    Returns
    -------
    What became of each segmentation, in the order of their names: ``path``, and ``output`` or, where it was
    refused, ``error``.

    Raises
    ------
    UsageError
        Before anything is written: no record, no segmentation, a destination inside the inputs, files in the
        way, or two segmentations that would write one file.
    """
    return restore(out, segmentations, destination, suffix, overwrite=overwrite, progress=progress)


def _show_options(function: Callable[..., object]) -> None:
    """Give a call the signature that it has with all fields of ``RunOptions``: they are listed there only."""
    signature = inspect.signature(function)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    named = {parameter.name for parameter in own}
    more = [
        inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=entry.default, annotation=entry.type)
        for entry in fields(RunOptions)
        if entry.name not in named
    ]
    function.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]


_show_options(correct_folder)
_show_options(recognize_folder)
