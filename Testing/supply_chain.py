"""What a plain install brings with it: ``python Testing/supply_chain.py sbom FILE.json`` and ``… audit``.

``sbom`` writes a bill of materials (CycloneDX) of this package and every package that it needs, as they are installed
here. ``audit`` asks the package index for known vulnerabilities of just these (``pip-audit``); where the index does not
answer it says so, and that is no failure. An audit that cannot run for another reason is one (exit status 2). Single
findings that do not concern this package are named in ``REASONED``, with the reason.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]

#: Identifier of a vulnerability: why it is none here.
REASONED: dict[str, str] = {}

#: How ``pip-audit`` ends where nobody answers: a line of its own, or the exception at the end of a traceback.
_NO_ANSWER = re.compile(
    r"^(?:[\w.]+\.)?(?:ConnectionError|ConnectTimeout|ReadTimeout|ProxyError)\b|Could not connect to PyPI"
)


def needed(package: str = "cmrorient") -> dict[str, str]:
    """Name and installed version of everything that a plain install of a package brings, without itself."""
    found: dict[str, str] = {}
    ahead = [package]
    while ahead:
        name = canonicalize_name(ahead.pop())
        if name in found:
            continue
        distribution = importlib.metadata.distribution(name)
        found[name] = distribution.version
        for line in distribution.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                ahead.append(requirement.name)
    del found[canonicalize_name(package)]
    return dict(sorted(found.items()))


def _as_requirements(folder: str) -> Path:
    path = Path(folder) / "requirements.txt"
    path.write_text("".join(f"{name}=={version}\n" for name, version in needed().items()))
    return path


def sbom(output: Path) -> int:
    """Write the bill of materials."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        words = ["requirements", str(_as_requirements(folder)), "--pyproject", str(REPOSITORY / "pyproject.toml")]
        more = ["--output-reproducible", "--of", "JSON", "-o", str(output)]
        done = subprocess.run([sys.executable, "-m", "cyclonedx_py", *words, *more], check=False)
    if done.returncode == 0:
        print(f"{output}: {len(json.loads(output.read_text())['components'])} components")
    return done.returncode


def audit() -> int:
    """Known vulnerabilities: 0 where there are none, or nobody answers; 1 where there are; 2 where it cannot run."""
    with tempfile.TemporaryDirectory() as folder:
        ignored = [word for name in REASONED for word in ("--ignore-vuln", name)]
        words = ["--requirement", str(_as_requirements(folder)), "--no-deps", "--disable-pip", "--format", "json"]
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *words, "--progress-spinner", "off", *ignored],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = done.stderr.strip()
        if _NO_ANSWER.search(said.rpartition("\n")[2]):
            print(f"audit skipped, the package index does not answer: {said[-300:]}", file=sys.stderr)
            return 0
        print(f"audit failed, pip-audit cannot run (exit status {done.returncode}): {said}", file=sys.stderr)
        return 2
    asked = [package for package in packages if "skip_reason" not in package]
    found = [f"{one['name']}: {told['id']}" for one in asked for told in one["vulns"]]
    if not asked:
        print("audit skipped: the package index tells nothing of these packages", file=sys.stderr)
    else:
        print(f"{len(asked)} of {len(packages)} packages audited, {len(found)} vulnerabilities")
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


def main() -> int:
    """Parse and do."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sbom").add_argument("output", type=Path)
    commands.add_parser("audit")
    arguments = parser.parse_args()
    return sbom(arguments.output) if arguments.command == "sbom" else audit()


if __name__ == "__main__":
    sys.exit(main())
