"""What ten million series cost, reckoned from what this machine takes for a few: ``python Testing/scale/reckon.py``.

Corrects a small and a larger sample of stacks of ten slices of 256 × 208 (NIfTI, packed, with the network), takes the
difference as what one more stack costs, and writes the table between the marks of ``Documentation/archives.md``.
``--output FILE.json`` keeps the figures, ``--from FILE.json`` takes them from there. Seconds are the processor's, so
that a busy machine changes them little; a cluster's network and disks are not in them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "Documentation" / "archives.md"
_TABLE = re.compile(r"(<!-- reckoned:.*?-->\n).*?(<!-- end -->)", re.DOTALL)

SERIES = 10_000_000
#: Cores of the clusters that hours are told for.
CORES = (16, 256)


def measure(few: int, many: int) -> dict[str, object]:
    """What one more stack costs: seconds of the processor, and bytes."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_run(Path(folder) / str(count), count) for count in (few, many))
    each = {name: (large[name] - small[name]) / (many - few) for name in small}
    return {**each, "stacks": [few, many], "machine": f"{_processor()}, {os.cpu_count()} cores"}


def _run(place: Path, count: int) -> dict[str, float]:
    from CMROrientLib.io import write
    from CMROrientLib.orientation import Orientation
    from CMROrientLib.phantom.phantom import make_phantom

    (place / "in").mkdir(parents=True)
    for number in range(count):
        stack = make_phantom(size=(256, 208), slices=10, orientation=Orientation(number % 8), seed=number)
        write(stack, place / "in" / f"{number:06}.nii.gz")
    before = _seconds()
    words = [sys.executable, "-m", "CMROrientLib", "correct", str(place / "in"), "-o", str(place / "out")]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run(words, env=environment, check=False, stdout=subprocess.DEVNULL)
    files = [path for path in (place / "out").rglob("*") if path.is_file()]
    size = {path.name: path.stat().st_size for path in files}
    own = sum(size.pop(name) for name in list(size) if name.startswith("cmrorient"))
    return {
        "seconds": _seconds() - before,
        "store": (place / "out" / "cmrorient.sqlite").stat().st_size,
        "page": (place / "out" / "cmrorient.html").stat().st_size,
        "tables": own - sum((place / "out" / f"cmrorient.{kind}").stat().st_size for kind in ("sqlite", "html")),
        "images": sum(size.values()),
    }


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", info.read_text()) if info.is_file() else None
    return named[1] if named else platform.processor() or platform.machine()


def table(found: dict[str, object]) -> str:
    """The reckoning as a table of Markdown."""

    def whole(name: str) -> float:
        return float(str(found[name])) * SERIES

    hours = whole("seconds") / 3600
    rows = [
        ("processor", f"{float(str(found['seconds'])):.2f} s", f"{hours:,.0f} core hours"),
        *((f"on {cores:,} cores", "", _span(hours / cores)) for cores in CORES),
        ("corrected images", _bytes(float(str(found["images"]))), _bytes(whole("images"))),
        ("store (records and thumbnails)", _bytes(float(str(found["store"]))), _bytes(whole("store"))),
        ("JSON lines and CSV", _bytes(float(str(found["tables"]))), _bytes(whole("tables"))),
        ("pages", _bytes(float(str(found["page"]))), _bytes(whole("page"))),
    ]
    lines = [f"| | one stack | {SERIES:,} |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([*lines, "", f"Measured on {found['machine']}.", ""])


def _span(hours: float) -> str:
    return f"{hours / 24:,.1f} days" if hours >= 48 else f"{hours:,.1f} hours"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def main() -> int:
    """Measure or read, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=int, nargs=2, default=(8, 40), metavar="N", help="a few and many (8 40)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--from", dest="kept", type=Path, metavar="FILE", help="take kept figures")
    arguments = parser.parse_args()
    found = json.loads(arguments.kept.read_text()) if arguments.kept else measure(*arguments.stacks)
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    told = table(found)
    PAGE.write_text(_TABLE.sub(lambda parts: parts[1] + told + parts[2], PAGE.read_text(encoding="utf-8")), "utf-8")
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
