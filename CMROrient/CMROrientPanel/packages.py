"""Python packages that Slicer does not bring, asked for at the first press and installed by Slicer's own means."""

from __future__ import annotations

import importlib
import importlib.util

import slicer
from slicer.i18n import tr as _

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml.requirements import FOR_NETWORK, install_by_hand, missing, names


def ensure(ask: bool = True) -> None:
    """Install what recognition needs and Slicer lacks, after one question.

    Parameters
    ----------
    ask:
        False for scripts: nothing may open a window there, so nothing is installed either.

    Raises
    ------
    CMROrientError
        Where the person declines, there is no connection, or nobody can be asked.
    """
    absent = missing(FOR_NETWORK)
    if not absent:
        return
    by_hand = install_by_hand(absent)
    if not ask:
        raise CMROrientError(by_hand)
    question = _(
        "CMROrient needs Python packages that Slicer does not bring:\n\n{packages}\n\n"
        "They are installed into this Slicer once (about 100 MB). Install them now?"
    ).format(packages="\n".join(f"•  {requirement}" for requirement in absent))
    if not slicer.util.confirmOkCancelDisplay(question, "CMROrient"):
        raise CMROrientError(
            _("Nothing was installed. Recognize needs {packages}; press it again to be asked again.").format(
                packages=names(absent)
            )
        )
    try:
        _install(absent)
    except Exception as error:  # pip runs as a process: it fails in as many ways as there are networks
        raise CMROrientError(
            _("Installing failed ({error}). {by_hand}").format(error=error, by_hand=by_hand)
        ) from error
    if missing(FOR_NETWORK):
        raise CMROrientError(
            _("Installed packages cannot be found; restart Slicer, then try again. {by_hand}").format(by_hand=by_hand)
        )


def _install(requirements: list[str]) -> None:
    if importlib.util.find_spec("slicer.packaging") is not None:
        packaging = importlib.import_module("slicer.packaging")
        # The question was asked above, in words that say why.
        packaging.pip_ensure(requirements, requester="CMROrient", prompt_install=False)
    else:
        slicer.util.pip_install(" ".join(requirements))
