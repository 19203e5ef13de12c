"""Coverage-guided fuzzing of the readers: whatever the bytes, an image or a CMROrientError.

    python Testing/fuzz/fuzz.py nifti nrrd metaimage dicom --seconds 600

Each format runs in a process of its own. What else comes out of a reader is a finding: its bytes are
kept in ``--findings`` and the exit status is 1. A finding becomes a test once it is mended.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def main() -> int:
    """Fuzz the formats that are named, one after the other; the exit status."""
    from seeds import FORMATS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", default=list(FORMATS), metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--seconds", type=int, default=600, help="for each format (600)")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="where findings are kept")
    arguments = parser.parse_args()
    unknown = set(arguments.formats) - set(FORMATS)
    if unknown:
        parser.error(f"no reader of {', '.join(sorted(unknown))}: there are {', '.join(FORMATS)}")
    failed = [kind for kind in arguments.formats if _fuzz_apart(kind, arguments.seconds, arguments.findings)]
    print(f"findings in {', '.join(failed)}: see {arguments.findings}" if failed else "no findings")
    return 1 if failed else 0


def _fuzz_apart(kind: str, seconds: int, findings: Path) -> int:
    findings.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "--one", kind, str(seconds), str(findings.resolve())]
    print(f"{kind}: {seconds} s", flush=True)
    return subprocess.run(command, check=False).returncode


def _fuzz(kind: str, seconds: int, findings: str) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["CMROrientLib", "pydicom", "nibabel"]), warnings.catch_warnings():
        from CMROrientLib.errors import CMROrientError
        from CMROrientLib.io import find, read_source
        from CMROrientLib.io.dicom import read as _  # noqa: F401  readers are imported late, and must be seen, too
        from CMROrientLib.io.formats import reader

        for name in ("nifti", "nrrd", "metaimage"):
            reader(name)
        from seeds import FORMATS, seeds
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="cmrorient-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    corpus = folder / "corpus"
    seeds(corpus, kind)

    def one(data: bytes) -> None:
        # The first byte says which ending the file has. What is to be gzipped is damaged inside: outside,
        # the checksum would keep it from the reader.
        endings = FORMATS[kind]
        first, rest = (data[0], data[1:]) if data else (0, data)
        path = folder / f"a{endings[first % len(endings)]}"
        path.write_bytes(gzip.compress(rest, 1) if path.name.endswith(".gz") else rest)
        try:
            for source in find(path):
                read_source(source)
        except CMROrientError:
            pass

    for path in list(corpus.iterdir()):
        ending = next((n for n, e in enumerate(FORMATS[kind]) if path.name.endswith(e)), 0)
        raw = path.read_bytes()
        path.write_bytes(bytes([ending]) + (gzip.decompress(raw) if path.name.endswith(".gz") else raw))
    arguments = [
        *("fuzz", str(corpus), f"-max_total_time={seconds}", "-max_len=20000", "-timeout=20", "-rss_limit_mb=4096"),
        f"-artifact_prefix={findings}/{kind}-",
        *("-use_value_profile=1", "-print_final_stats=1"),
    ]
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.path.insert(0, str(_HERE))
    if sys.argv[1:2] == ["--one"]:
        _fuzz(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    sys.exit(main())
