"""Packages that Slicer's Python does not bring, and how to get them into it."""

from __future__ import annotations

import importlib
import importlib.util

from ..i18n import _

#: Import name and requirement of what recognition needs beyond NumPy, without which Slicer does not start. Slicer
#: brings SciPy; a build that takes the system's Python may lack it. PyTorch is not among them.
FOR_NETWORK = {"onnxruntime": "onnxruntime>=1.17", "scipy": "scipy>=1.10"}

#: What reading and writing files needs beyond them: commands that work on folders.
FOR_FILES = {
    "nibabel": "nibabel>=5.2",
    "SimpleITK": "SimpleITK>=2.3",
    "pydicom": "pydicom>=3.0",
    "PIL": "pillow>=10.1",
    "tqdm": "tqdm>=4.66",
    "jinja2": "jinja2>=3.1",
    "markupsafe": "markupsafe>=2.1",
}


def missing(needed: dict[str, str]) -> list[str]:
    """The requirements whose packages cannot be found; nothing is imported to find out."""
    importlib.invalidate_caches()
    return [requirement for name, requirement in needed.items() if importlib.util.find_spec(name) is None]


def names(requirements: list[str]) -> str:
    """The packages' names without their versions, with blanks between them."""
    return " ".join(requirement.partition(">")[0] for requirement in requirements)


def install_by_hand(requirements: list[str]) -> str:
    """What to do, with and without a connection."""
    listed = names(requirements)
    return _(
        "Slicer lacks {packages}. Enter once in Slicer's Python console: slicer.util.pip_install('{packages}'). "
        "Without a connection: on a computer of the same kind run “pip download {packages} -d FOLDER” with the Python "
        "version of this Slicer, bring FOLDER here, and enter "
        "slicer.util.pip_install('--no-index --find-links FOLDER {packages}')."
    ).format(packages=listed)
