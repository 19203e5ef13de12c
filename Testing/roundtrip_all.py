"""Scramble every real volume, correct the folder, and count what comes back exactly.

    python Testing/roundtrip_all.py --data ../shared/data [--output FOLDER] [--jobs 2] [--seed 1]

Half of the headers are turned with the pixels, half are left behind; masks lie beside the images.
The bundled network was trained on most of these people: this shows that the whole path works, not
how well it does on unseen people (Training/RESULTS.md has that). Exits with 1 below 99 % of the
volumes that lie clearly within their class.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / "Python" / "support"), str(Path(__file__).parents[1])]

from roundtrip import judge, read_cases, scramble, summary  # noqa: E402

from CMROrientLib.cli.main import main as cmrorient  # noqa: E402
from CMROrientLib.run.store import read_records  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--output", type=Path, help="a new folder to keep everything in")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="universal")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.output or Path(folder)
        cases = read_cases(arguments.data, arguments.seed)
        scramble(arguments.data, cases, place / "in")
        start = time.monotonic()
        words = ["correct", str(place / "in"), "-o", str(place / "out"), "--masks", "_seg"]
        status = cmrorient([*words, "--jobs", str(arguments.jobs), "--model", arguments.model])
        seconds = time.monotonic() - start
        judged = judge(arguments.data, cases, place / "out", read_records(place / "out"))
    print("\n".join(summary(judged)))
    print(f"exit status {status}; {seconds:.0f} s for {len(cases)} volumes with {arguments.jobs} workers")
    clear = [entry for entry in judged if entry.case.clear]
    return 0 if sum(entry.right for entry in clear) >= 0.99 * len(clear) else 1


if __name__ == "__main__":
    sys.exit(main())
