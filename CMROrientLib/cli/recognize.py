"""``cmrorient recognize``: say how images are stored."""

from __future__ import annotations

import argparse

from ..run.folder import recognize
from ..run.records import Records
from .arguments import (
    add_identifiers,
    add_inputs,
    add_json,
    add_only_problems,
    add_recognition,
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
        records, names = Records(), []
        for outcome in outcomes:
            records.append(outcome.record.to_json())
            names.append((outcome.record.path, outcome.record.series or ""))
        return reporter.finish(records.in_order(sorted(range(len(names)), key=names.__getitem__)))
