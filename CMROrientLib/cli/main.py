# PYTHON_ARGCOMPLETE_OK
"""The command line: ``cmrorient recognize``, ``correct``, ``audit``, ``restore``, ``demo`` and the rest.

Only the module of the command that was asked for is imported: ``cmrorient --help`` is instant, and
no command but those of training needs torch.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from .. import __version__
from ..errors import CMROrientError, UsageError

_STATUS = """\
exit status: 0 all done (skipped conflicts and images that are not short-axis
count as done), 1 some file failed or is uncertain, or there was no image,
2 wrong usage (nothing was written), 130 stopped with Ctrl-C, 143 by SIGTERM"""

#: What the same command does after a stop; any other begins anew.
_AGAIN = {
    "correct": ("the same command goes on where it stopped", "give the same command again to go on"),
    "train": ("the same command goes on after the last whole epoch", "give the same command again to go on"),
    "transfer": ("the same command goes on after the last whole epoch", "give the same command again to go on"),
    "restore": ("the same command with --overwrite does all of it", "give the same command with --overwrite"),
}
_ANEW = ("the same command begins anew", "the same command begins anew")


#: Each command, with what it does, is the module of its name, with ``add_arguments`` and ``run``.
COMMANDS = {
    "recognize": "say how images are stored; writes nothing",
    "correct": "write images in standard orientation into another folder",
    "audit": "hold the headers of an archive against the pixels; writes a report only",
    "restore": "bring segmentations of corrected images back onto the original grids",
    "demo": "make a small synthetic study, correct it and show the result",
    "train": "train a network (needs the extra 'train')",
    "transfer": "train a network on from another one",
    "evaluate": "measure a model on labelled images",
    "export": "make a model's files from trained weights",
    "benchmark": "measure how fast this machine is",
}


#: One call of each command, for its help and the overview.
EXAMPLES = {
    "recognize": "cmrorient recognize study/",
    "correct": "cmrorient correct study/ -o standard/ --masks _seg,_gt",
    "audit": "cmrorient audit archive/ -o audit.html",
    "restore": "cmrorient restore standard/ predicted/ -o back/ --suffix _pred",
    "demo": "cmrorient demo -o demo",
    "train": "cmrorient train --recipe my.toml --data DATA -o runs/mine",
    "transfer": "cmrorient transfer --start universal --data NEW -o runs/transferred",
    "evaluate": "cmrorient evaluate --model runs/mine/model --data DATA",
    "export": "cmrorient export runs/mine -o models",
    "benchmark": "cmrorient benchmark --volumes 5",
}


class Command(Protocol):
    """What the module of a command has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Define the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit status."""


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser, with the arguments of one command (of none where it is None)."""
    examples = "\n".join(f"  {example}" for example in EXAMPLES.values())
    parser = argparse.ArgumentParser(
        prog="cmrorient",
        description="Recognize and correct the in-plane orientation of short-axis cardiac MR.\nNot a medical device.",
        epilog=f"examples:\n{examples}\n\n'cmrorient COMMAND --help' tells more.\n\n{_STATUS}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"cmrorient {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, what in COMMANDS.items():
        sub = subparsers.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}.",
            epilog=f"example: {EXAMPLES[name]}\n\n{_STATUS}\n({_AGAIN.get(name, _ANEW)[0]}).",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == command:
            _command(name).add_arguments(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status: 0, 1, 2, 130 after Ctrl-C, or 143 after SIGTERM.

    Without any argument the overview goes to standard error, and the status is 2: nothing was asked for.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # numpy is not loaded yet. Its products here are small: threads that wait for each other cost several
    # times what they save as soon as other processes, our own workers among them, want the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    command = _command_of(given)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A file name that the terminal cannot show must not end a run.
            stream.reconfigure(errors="backslashreplace")
    if not given:
        parser = build_parser()
        parser.print_help(sys.stderr)
        parser.exit(2)
    try:
        parsed = build_parser(command if command in COMMANDS else None).parse_args(given)
        with _stopped_by_sigterm():
            status = _command(parsed.command).run(parsed)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"cmrorient: {_line(error)}", file=sys.stderr)
        return 2
    except CMROrientError as error:
        print(f"cmrorient: {_line(error)}", file=sys.stderr)
        return 1
    except _Terminated:
        print(f"cmrorient: stopped by SIGTERM; {_AGAIN.get(command or '', _ANEW)[1]}", file=sys.stderr)
        return 143
    except KeyboardInterrupt:
        print(f"\ncmrorient: stopped; {_AGAIN.get(command or '', _ANEW)[1]}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


class _Terminated(KeyboardInterrupt):
    """A scheduler asked for an end: everything that Ctrl-C stops in order is stopped so, too."""


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM, by which SLURM, Kubernetes and systemd end a job, finishes the images under way as Ctrl-C does."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        # Whoever called from Python has a handling of their own.
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _command_of(words: Sequence[str]) -> str | None:
    return next((word for word in words if not word.startswith("-")), None)


def _complete() -> None:
    """Answer a shell that asks how the line goes on, and end the process there."""
    try:
        import argcomplete
    except ModuleNotFoundError:
        return
    # The shell's line, not our arguments: without it only the names of commands would be known. The word that is
    # being written counts once a space ends it.
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT") or 0) or None]
    words = line.split()[1:] if line[-1:].isspace() else line.split()[1:-1]
    command = _command_of(words)
    argcomplete.autocomplete(build_parser(command if command in COMMANDS else None))


def _command(name: str) -> Command:
    try:
        module: Command = importlib.import_module(f".{name}", __package__)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("CMROrientLib"):
            raise
        raise UsageError(f"this command needs the package {error.name!r}: pip install cmrorient[train]") from error
    return module


def _line(error: CMROrientError) -> str:
    from ..io.paths import short_path

    return " ".join(short_path(str(error)).split())


if __name__ == "__main__":
    sys.exit(main())
