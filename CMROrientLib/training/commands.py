"""Hands the four commands of training to their modules, until the command line calls these itself."""

from __future__ import annotations

import argparse
import importlib


def add_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options of one command."""
    importlib.import_module(f"CMROrientLib.cli.{command}").add_arguments(parser)


def run(arguments: argparse.Namespace, command: str) -> int:
    """Do what was asked; the exit status."""
    status: int = importlib.import_module(f"CMROrientLib.cli.{command}").run(arguments)
    return status
