"""What people call on files and folders: a run, and the page that shows it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from .progress import ItemProgress
from .report.page import write_report
from .run import folder
from .run.folder import Warn
from .run.options import Inputs, RunOptions
from .run.record import Record
from .run.store import Store
from .run.tables import HTML_NAME
from .run.work import Outcome


def correct(
    options: RunOptions, progress: ItemProgress[Outcome] | None = None, warn: Warn | None = None
) -> list[Record]:
    """Correct every image into the output folder and write the page there; see ``run.folder.correct``."""

    def page(store: Store) -> None:
        assert options.output is not None
        write_report(store.records(), options.output / HTML_NAME, store.pictures, command=options.command)

    return folder.correct(options, progress, warn, page)


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
    return correct(RunOptions(inputs=inputs, output=output, **options), progress, warn)  # type: ignore[arg-type]


def recognize_folder(
    inputs: Inputs,
    *,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    **options: Any,
) -> Iterator[Outcome]:
    """Recognize every image of files and folders; nothing is written. See ``run.folder.recognize``."""
    return folder.recognize(RunOptions(inputs=inputs, **options), progress, warn)  # type: ignore[arg-type]


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
