"""``cmrorient recognize``: say how images are stored."""

from __future__ import annotations

import argparse

from ..run.folder import recognize
from .arguments import (
    add_identifiers,
    add_inputs,
    add_json,
    add_only_problems,
    add_recognition,
    exit_status,
    run_options,
)
from .output import Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    add_inputs(parser)
    add_recognition(parser)
    add_identifiers(parser)
    add_json(parser)
    add_only_problems(parser)


def run(arguments: argparse.Namespace) -> int:
    """Recognize and show; the exit status."""
    options = run_options(arguments)
    with Reporter(options, json=arguments.json, only_problems=arguments.only_problems) as reporter:
        outcomes = recognize(options, reporter.progress, reporter.warn)
        records = sorted((outcome.record for outcome in outcomes), key=lambda r: (r.path, r.series or ""))
        reporter.finish(records)
    return exit_status(records)
