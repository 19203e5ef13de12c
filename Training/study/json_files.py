"""JSON files of the studies."""

from __future__ import annotations

import json
from pathlib import Path

from CMROrientLib.io.atomic import write_text


def write_json(path: Path, data: object) -> None:
    """Write readable JSON, whole or not at all."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
