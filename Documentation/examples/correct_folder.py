"""Correct a folder of images with Slicer's Python, without a window.

Slicer --no-splash --no-main-window --exit-after-startup --python-script PATH/correct_folder.py -- IN OUT

The exit status is 0 when all is done, 1 when some image failed or is uncertain, 2 for wrong usage.
It runs with any other Python as well. Inside Slicer no worker processes are started.
"""

import sys
import traceback
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Correct everything under IN into OUT and print a line for each image."""
    if len(arguments) != 2:
        print("usage: correct_folder.py IN OUT", file=sys.stderr)
        return 2
    # Installed, Slicer knows where the library is; in a checkout it lies two folders up.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import CMROrientLib as cmr

    try:
        records = cmr.correct_folder(*arguments, masks=["_seg"])
    except cmr.CMROrientError as error:
        print(error, file=sys.stderr)
        return 2
    for record in records:
        print(f"{record.path}: {record.error or record.decision}")
    undone = [record for record in records if record.error or record.decision == "uncertain"]
    return 1 if undone or not records else 0


if __name__ == "__main__":
    # Slicer leaves the separator in, and stays open unless the script ends it: an exception alone does not.
    given = sys.argv[1:]
    try:
        status = main(given[1:] if given[:1] == ["--"] else given)
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.exit(status)
