"""Send derived series to a real PACS and fetch them again: ``make test-pacs``.

Two real people's series are stored in wrong orientations, corrected, sent with their sources by
dcmtk's ``storescu`` (C-STORE) to an Orthanc server, and fetched again over its REST interface. Each
data set has to come back byte for byte, in the study of its source, and Orthanc's own decoder has
to see the corrected pixels. Orthanc listens on all interfaces whatever its configuration says, so
all of this runs in a network namespace of its own.

Needs Linux with ``Orthanc``, ``storescu``, ``unshare`` and ``ip``, and the real images (see
``Testing/Python/parts.py``). Exit status: 0 all came back, 1 something did not, 2 a part is missing.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), *(str(HERE.parent / "Python" / "support" / room) for room in ("", "dicom"))]

PROGRAMS = ("Orthanc", "storescu", "unshare", "ip")
WEB, DICOM = 8042, 4242

DEFLATED = b"1.2.840.10008.1.2.1.99"

#: Set in the environment of the process that runs inside the namespace.
INSIDE = "CMRORIENT_PACS_INSIDE"


def main() -> int:
    """Run in a network namespace; the exit status."""
    missing = [name for name in PROGRAMS if find_program(name) is None]
    if missing:
        print(f"test-pacs needs {', '.join(missing)} (Debian: orthanc dcmtk util-linux iproute2)", file=sys.stderr)
        return 2
    if not find_data().is_dir():
        print(f"test-pacs needs the real DICOM images: {find_data()} is missing", file=sys.stderr)
        return 2
    if os.environ.get(INSIDE):
        return round_trip()
    # Whoever is not the superuser becomes it inside the namespace only.
    unshare = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    script = 'ip link set lo up && exec "$@"'
    command = [*unshare, "sh", "-c", script, "sh", sys.executable, str(Path(__file__).resolve())]
    return subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode


def find_program(name: str) -> str | None:
    """A program, also from where Debian puts servers and tools of the superuser."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def find_data() -> Path:
    """The folder with the real DICOM series."""
    given = os.environ.get("CMRORIENT_TEST_DATA")
    return (Path(given) if given else HERE.parents[2] / "shared" / "data") / "dicom"


def round_trip() -> int:
    """Make the series, send and fetch them; prints a line each."""
    warnings.filterwarnings("ignore", message="Invalid value for VR")
    import pydicom

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        series = list(make_series(Path(folder)))
        with orthanc(Path(folder) / "server"):
            for name, sources, derived in series:
                told = send_and_fetch(sources, derived, Path(folder))
                print(f"{'FAIL' if told else 'ok  '} {name}: {len(derived)} files{f': {told}' if told else ''}")
                failures += told is not None
        print(f"{len(series) - failures} of {len(series)} series came back the same")
    return 1 if failures else 0


def make_series(folder: Path) -> Iterator[tuple[str, list[Path], list[Path]]]:
    """(name, source files, derived files) of each series that is sent."""
    import dicom_cases as cases
    from pydicom import dcmread

    import CMROrientLib as cmr

    stacks = sorted(path for path in find_data().glob("*/*") if path.is_dir())
    jobs = [
        (stack, stack.parent.name + " " + stack.name, "explicit", k)
        for k, stack in zip((2, 5, 7, 1), stacks, strict=True)
    ]
    jobs += [(stacks[1], f"stored as {name}", name, 6) for name in cases.LOSSLESS if name != "explicit"]
    for number, (stack, name, syntax, k) in enumerate(jobs):
        slices = [dcmread(path) for path in sorted(stack.glob("*.dcm"))]
        if syntax != "explicit":
            slices = slices[:4]
        # Series of their own, since the server keeps one instance of a UID.
        turned = cases.fresh_series([cases.turned(dataset, k) for dataset in slices])
        sources = cases.save_all(turned, folder / f"{number}" / "source", cases.LOSSLESS[syntax])
        target = folder / f"{number}" / "derived"
        cmr.write(cmr.correct(cmr.read(sources[0].parent), k, "follow"), target)
        yield name, sources, sorted(target.iterdir())
    enhanced = cases.enhanced([cases.turned(d, 4) for d in cases.people(find_data().parent, count=4)], phases=2)
    source = cases.save(cases.fresh_series([enhanced])[0], folder / "enhanced.dcm")
    cmr.write(cmr.correct(cmr.read(source), 4, "follow"), folder / "enhanced_fixed.dcm")
    yield "enhanced MR", [source], [folder / "enhanced_fixed.dcm"]


@contextmanager
def orthanc(folder: Path) -> Iterator[None]:
    """A server with nothing in it, up and answering."""
    folder.mkdir()
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "HttpPort": WEB,
        "DicomPort": DICOM,
        "DicomAlwaysAllowStore": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    log = (folder / "log.txt").open("wb")
    server = subprocess.Popen([find_program("Orthanc") or "Orthanc", folder / "orthanc.json"], stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                fetch("/system")
                break
            except (urllib.error.URLError, ConnectionError):
                if server.poll() is not None:
                    raise SystemExit(f"Orthanc has ended:\n{(folder / 'log.txt').read_text('utf-8')}") from None
                time.sleep(0.1)
        else:
            raise SystemExit("Orthanc does not answer")
        yield
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def fetch(path: str, data: bytes | None = None) -> bytes:
    """What the server's REST interface answers."""
    # No proxy has a place in an empty network.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{WEB}{path}", data=data, timeout=30) as answer:
        return answer.read()


def send_and_fetch(sources: list[Path], derived: list[Path], folder: Path) -> str | None:
    """What is wrong with the way there and back, None where nothing is."""
    import numpy as np
    from PIL import Image
    from pydicom import dcmread

    store([*sources, *derived], folder)
    study = dcmread(sources[0], stop_before_pixels=True).StudyInstanceUID
    series = dcmread(derived[0], stop_before_pixels=True).SeriesInstanceUID
    for path in derived:
        dataset = dcmread(path)
        (found,) = json.loads(fetch("/tools/lookup", dataset.SOPInstanceUID.encode()))
        back = fetch(f"/instances/{found['ID']}/file")
        if content(back) != content(path.read_bytes()):
            return f"{path.name} came back with other bytes"
        above = json.loads(fetch(f"/instances/{found['ID']}/series"))
        if above["MainDicomTags"]["SeriesInstanceUID"] != series or len(above["Instances"]) != len(derived):
            return f"{path.name} is not in a series with the others"
        top = json.loads(fetch(f"/instances/{found['ID']}/study"))["MainDicomTags"]["StudyInstanceUID"]
        if top != study:
            return f"{path.name} left the study of its source"
        try:
            picture = Image.open(io.BytesIO(fetch(f"/instances/{found['ID']}/frames/0/image-uint16")))
        except urllib.error.HTTPError as error:
            if error.code != 415:  # Orthanc stores what it cannot decode, JPEG 2000 without its plugin
                raise
            continue
        first = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)[0]
        if not np.array_equal(np.asarray(picture), first.clip(0)):
            return f"Orthanc sees other pixels in {path.name}"
    return None


def content(data: bytes) -> bytes:
    """A DICOM file without preamble and File Meta Information, which every node writes for itself."""
    length = int.from_bytes(data[140:144], "little")
    meta, body = data[144 : 144 + length], data[144 + length :]
    # Deflating again gives other bytes for the same content.
    return zlib.decompress(body, -15) if DEFLATED in meta else body


def store(paths: list[Path], folder: Path) -> None:
    """C-STORE files as they are, each in its own transfer syntax."""
    from pydicom.filereader import read_file_meta_info

    kinds: dict[tuple[str, str], list[Path]] = {}
    for path in paths:
        meta = read_file_meta_info(path)
        kinds.setdefault((meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID), []).append(path)
    for (sop_class, syntax), files in kinds.items():
        profile = folder / "storescu.cfg"
        profile.write_text(
            f"[[TransferSyntaxes]]\n[Syntax]\nTransferSyntax1 = {syntax}\n"
            f"[[PresentationContexts]]\n[Contexts]\nPresentationContext1 = {sop_class}\\Syntax\n"
            "[[Profiles]]\n[Default]\nPresentationContexts = Contexts\n",
            encoding="ascii",
        )
        command = [find_program("storescu") or "storescu", "-xf", profile, "Default", "127.0.0.1", str(DICOM), *files]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode:
            raise SystemExit(f"storescu failed with {syntax}:\n{told.stdout}{told.stderr}")


if __name__ == "__main__":
    sys.exit(main())
