"""``cmrorient train`` as a script, for Python and for Slicer without a window alike.

python Training/train.py OPTIONS
Slicer --no-main-window --python-script Training/train.py -- OPTIONS
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from CMROrientLib.cli.main import main

if __name__ == "__main__":
    given = sys.argv[1:]
    # Slicer leaves the separator in; without an exit it would stay open after the script.
    sys.exit(main(["train", *(given[1:] if given[:1] == ["--"] else given)]))
