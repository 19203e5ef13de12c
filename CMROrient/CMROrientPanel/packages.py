"""Python packages that Slicer does not bring, asked for at the first press and installed by Slicer's own means."""

from __future__ import annotations

import importlib
import importlib.util

import slicer
from slicer.i18n import tr as _

from CMROrientLib.errors import CMROrientError

#: Import name and requirement of what recognition needs; PyTorch is never among them.
NEEDED = {"onnxruntime": "onnxruntime>=1.17", "skimage": "scikit-image>=0.22"}

#: What reading and writing files needs beyond them (scripts that work on folders).
FOR_FILES = {"nibabel": "nibabel>=5.2", "pydicom": "pydicom>=3.0", "tqdm": "tqdm>=4.66"}

_BY_HAND = (
    "Without a connection: on a computer with the same system run “pip download {packages} -d FOLDER” with the Python "
    "version of this Slicer, bring FOLDER here, and enter in Slicer's Python console: "
    "slicer.util.pip_install('--no-index --find-links FOLDER {packages}')"
)


def missing(needed: dict[str, str] = NEEDED) -> list[str]:
    """Requirements whose packages cannot be found; nothing is imported."""
    importlib.invalidate_caches()
    return [requirement for name, requirement in needed.items() if importlib.util.find_spec(name) is None]


def ensure(needed: dict[str, str] = NEEDED, ask: bool = True) -> None:
    """Install what is missing, after one question.

    Parameters
    ----------
    ask:
        False for scripts: nothing may open a window there, so nothing is installed either.

    Raises
    ------
    CMROrientError
        Where the person declines, there is no connection, or nobody can be asked.
    """
    absent = missing(needed)
    if not absent:
        return
    listed = " ".join(requirement.partition(">")[0] for requirement in absent)
    by_hand = _BY_HAND.format(packages=listed)
    if not ask:
        raise CMROrientError(f"Slicer lacks {listed}. Install once: slicer.util.pip_install('{listed}'). {by_hand}")
    question = _(
        "CMROrient needs Python packages that Slicer does not bring:\n\n{packages}\n\n"
        "They are installed into this Slicer once (about 100 MB). Install them now?"
    ).format(packages="\n".join(f"•  {requirement}" for requirement in absent))
    if not slicer.util.confirmOkCancelDisplay(question, "CMROrient"):
        raise CMROrientError(f"Nothing was installed. Recognize needs {listed}; press it again to be asked again.")
    try:
        _install(absent)
    except Exception as error:  # pip runs as a process: it fails in as many ways as there are networks
        raise CMROrientError(f"Installing {listed} failed ({error}). {by_hand}") from error
    if missing(needed):
        raise CMROrientError(f"{listed} cannot be found after installing. Restart Slicer, then try again. {by_hand}")


def _install(requirements: list[str]) -> None:
    if importlib.util.find_spec("slicer.packaging") is not None:
        packaging = importlib.import_module("slicer.packaging")
        # The question was asked above, in words that say why.
        packaging.pip_ensure(requirements, requester="CMROrient", prompt_install=False, skip_in_testing=False)
    else:
        slicer.util.pip_install(" ".join(f'"{requirement}"' for requirement in requirements))
