"""The lists of files in CMake against the tree: ``python Testing/cmake_lists.py [--write]``.

A file that no list names is missing from the extension's package, and nothing else would notice.
``--write`` puts the tree's files into the lists.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

#: Never part of the package: what builds it, and what Python leaves behind.
_NOT_PACKAGED = ("CMakeLists.txt",)


@dataclass(frozen=True)
class Lists:
    """One folder's lists.

    Parameters
    ----------
    folder:
        Relative to the repository.
    scripts, resources:
        Names of the CMake variables that hold the Python files and everything else.
    """

    folder: str
    scripts: str = "MODULE_PYTHON_SCRIPTS"
    resources: str = "MODULE_PYTHON_RESOURCES"

    @property
    def cmake(self) -> Path:
        """The file that holds the lists."""
        return REPOSITORY / self.folder / "CMakeLists.txt"

    def in_tree(self) -> tuple[list[str], list[str]]:
        """Python files and other files of the folder, as CMake would name them."""
        root = REPOSITORY / self.folder
        files = [
            path.relative_to(root).as_posix()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not _is_left_behind(path) and path.name not in _NOT_PACKAGED
        ]
        return [name for name in files if name.endswith(".py")], [name for name in files if not name.endswith(".py")]

    def in_cmake(self) -> tuple[list[str], list[str]]:
        """What the lists name."""
        text = self.cmake.read_text(encoding="utf-8")
        return _listed(text, self.scripts), _listed(text, self.resources)

    def write(self) -> None:
        """Put the tree's files into the lists."""
        text = self.cmake.read_text(encoding="utf-8")
        for variable, names in zip((self.scripts, self.resources), self.in_tree(), strict=True):
            lines = "".join(f"  {name}\n" for name in names)
            text = _pattern(variable).sub(lambda found, lines=lines: f"{found[1]}\n{lines}  )", text)
        self.cmake.write_text(text, encoding="utf-8")


ALL = (Lists("CMROrient"), Lists("CMROrientLib"))


def _pattern(variable: str) -> re.Pattern[str]:
    return re.compile(rf"(set\({variable})\s([^)]*)\)")


def _listed(text: str, variable: str) -> list[str]:
    found = _pattern(variable).search(text)
    if found is None:
        raise ValueError(f"there is no set({variable} …)")
    return found[2].replace("${MODULE_NAME}", "CMROrient").split()


def _is_left_behind(path: Path) -> bool:
    return "__pycache__" in path.parts or path.name.startswith(".") or path.suffix == ".pyc"


def main() -> int:
    """Compare (or write) the lists; 1 where they differ."""
    differ = 0
    for lists in ALL:
        if "--write" in sys.argv[1:]:
            lists.write()
        for tree, cmake in zip(lists.in_tree(), lists.in_cmake(), strict=True):
            for name in sorted(set(tree) ^ set(cmake)):
                differ = 1
                print(f"{lists.folder}/{name}: {'not listed' if name in tree else 'listed, but not there'}")
    return differ


if __name__ == "__main__":
    sys.exit(main())
