"""``python -m study.results``."""

from .page import main

if __name__ == "__main__":
    raise SystemExit(main())
