"""The pages of a run over many images, from a store of made records: ``pages.py IMAGES FOLDER``.

It prints how many pages there are, and the megabytes that this process took at most while it wrote them.
"""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing" / "Python" / "support")]


def main(count: int, place: Path) -> None:
    """Write them."""
    from report_samples import acted_on, jpeg, undecided

    from CMROrientLib.report.page import write_report
    from CMROrientLib.run.pictures.thumbnails import Thumbnails
    from CMROrientLib.run.store import Store

    pictures = Thumbnails(jpeg(1), jpeg(2))
    with Store.open(place) as store:
        # A transaction for each record is what a run needs, and this need not wait for.
        store._connection.execute("BEGIN")
        for number in range(count):
            make = undecided if number % 50 == 0 else acted_on
            store.put(make(f"centre_{number % 7}/patient_{number:06d}/cine.nii.gz"), pictures)
        store._connection.execute("COMMIT")
        pages = write_report(store, place / "cmrorient.html", store.pictures)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    print(len(pages), f"{peak:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
