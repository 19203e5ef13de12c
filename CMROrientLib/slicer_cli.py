"""``cmrorient`` inside Slicer, without a window:

Slicer --no-splash --no-main-window --exit-after-startup --python-script PATH/slicer_cli.py -- correct IN -o OUT

It ends Slicer with the command's exit status. Inside Slicer no worker processes are started.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run one command of ``cmrorient``.

    Parameters
    ----------
    arguments:
        ``sys.argv[1:]``; Slicer leaves the separator ``--`` in.

    Returns
    -------
    The exit status: 0, 1 or 2 as for ``cmrorient``; 2 as well where Slicer lacks a package.
    """
    library = str(Path(__file__).resolve().parents[1])
    if library not in sys.path:
        sys.path.insert(0, library)
    from CMROrientLib.cli.main import main as run
    from CMROrientLib.mrml.requirements import FOR_FILES, FOR_NETWORK, install_by_hand, missing

    absent = missing({**FOR_NETWORK, **FOR_FILES})
    if absent:
        print(f"cmrorient: {install_by_hand(absent)}", file=sys.stderr)
        return 2
    return run(arguments[1:] if arguments[:1] == ["--"] else arguments)


if __name__ == "__main__":
    # Slicer stays open where a script ends in an exception, and nobody could see it.
    try:
        status = main(sys.argv[1:])
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.exit(status)
