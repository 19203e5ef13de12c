"""Rebuild RESULTS.md and its pictures from the stored metrics (``make results``)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from study.results.page import main

if __name__ == "__main__":
    sys.exit(main())
