"""Python packages that Slicer does not bring, asked for at the first press and installed by Slicer's own means."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import slicer
from slicer.i18n import tr as _

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml.requirements import (
    FOR_CUDA,
    FOR_DICOM,
    FOR_FILES,
    FOR_NETWORK,
    install_by_hand,
    missing,
    names,
)
from CMROrientLib.recognition import cuda

from .task import Task

#: What was declined and can be done without is not asked for again, until Slicer starts anew or Repair is pressed.
_DECLINED: set[str] = set()


def refuse_without_packages() -> None:
    """For scripts: nothing may open a window there, so nothing is installed. Raises CMROrientError."""
    absent = missing(FOR_NETWORK)
    if absent:
        raise CMROrientError(install_by_hand(absent))


def ensure(task: Task, device: str = "auto") -> str:
    """Install what recognition needs and Slicer lacks, after one question.

    What only CUDA needs is offered where nothing else stands in its way; the work goes on without it.

    Parameters
    ----------
    task:
        The running work: it keeps the panel locked meanwhile.
    device:
        Where the network is to run.

    Returns
    -------
    A sentence where CUDA's package could not be installed, else "".

    Raises
    ------
    CMROrientError
        Where what recognition needs is declined, or there is no connection.
    """
    absent = missing(FOR_NETWORK)
    offered = missing(FOR_CUDA) if device != "cpu" and cuda.only_safetensors_is_missing() else []
    offered = [requirement for requirement in offered if requirement not in _DECLINED]
    if absent:
        _ask_for_the_network(absent, offered)
        _install(task, absent)
    elif offered and not _confirm(_offer_of_cuda(offered)):
        _DECLINED.update(offered)
        offered = []
    if not offered:
        return ""
    try:
        _install(task, offered)
    except CMROrientError as error:
        _DECLINED.update(offered)
        return _("The network runs on the CPU. {why}").format(why=error)
    return ""


def needed() -> dict[str, str]:
    """Packages and requirements of everything that the module can do here."""
    optional = FOR_CUDA if cuda.has_torch() else {}
    return {**FOR_NETWORK, **optional, **FOR_FILES}


def lacking() -> list[str]:
    """Which of these requirements are missing or too old."""
    return missing(needed())


def repair(task: Task) -> str:
    """Install what is missing or too old, after one question.

    Returns
    -------
    What was done, in a sentence.

    Raises
    ------
    CMROrientError
        Where the person declines, or there is no connection.
    """
    absent = lacking()
    if not absent:
        return _("Nothing has to be installed.")
    question = _(
        "These Python packages are missing or too old:\n\n{packages}\n\n"
        "They are installed into this Slicer. Install them now?"
    )
    if not _confirm(question.format(packages=_listed(absent))):
        raise CMROrientError(_("Nothing was installed."))
    loaded = _loaded_already(absent)
    _install(task, absent)
    _DECLINED.clear()
    said = _("Installed: {packages}.").format(packages=names(absent))
    if loaded:
        said += " " + _("Restart Slicer: {packages} is used in its old version until then.").format(packages=loaded)
    return said


def _ask_for_the_network(absent: list[str], offered: list[str]) -> None:
    question = _(
        "CMROrient needs Python packages that Slicer does not bring:\n\n{packages}\n\n"
        "They are installed into this Slicer once (about 100 MB). Install them now?"
    )
    if not _confirm(question.format(packages=_listed(absent + offered))):
        raise CMROrientError(
            _("Nothing was installed. Recognize needs {packages}; press it again to be asked again.").format(
                packages=names(absent)
            )
        )


def _offer_of_cuda(offered: list[str]) -> str:
    question = _(
        "PyTorch is installed, but to run the network on CUDA a small Python package is missing:\n\n{packages}\n\n"
        "Install it into this Slicer now? Without it the CPU is used."
    )
    return question.format(packages=_listed(offered))


def _confirm(question: str) -> bool:
    return bool(slicer.util.confirmOkCancelDisplay(question, "CMROrient"))


def _listed(requirements: list[str]) -> str:
    return "\n".join(f"•  {requirement}" for requirement in requirements)


def _install(task: Task, requirements: list[str]) -> None:
    """Install, and hold against what is there afterwards. Raises CMROrientError with what to do by hand."""
    by_hand = install_by_hand(requirements)
    with task.uninterrupted(_("Installing {packages}").format(packages=names(requirements))):
        try:
            _run_pip(requirements)
        except Exception as error:  # pip runs as a process: it fails in as many ways as there are networks
            raise CMROrientError(
                _("Installing failed ({error}). {by_hand}").format(error=error, by_hand=by_hand)
            ) from error
    every = {**FOR_NETWORK, **FOR_CUDA, **FOR_FILES}
    if set(missing(every)) & set(requirements):
        raise CMROrientError(
            _("Installed packages cannot be found; restart Slicer, then try again. {by_hand}").format(by_hand=by_hand)
        )


def _run_pip(requirements: list[str]) -> None:
    if importlib.util.find_spec("slicer.packaging") is not None:
        packaging = importlib.import_module("slicer.packaging")
        # The question was asked above, in words that say why.
        packaging.pip_ensure(requirements, requester="CMROrient", prompt_install=False)
    else:
        slicer.util.pip_install(" ".join(requirements))


def _loaded_already(requirements: list[str]) -> str:
    """The packages among them whose old version is in use."""
    every = {**FOR_NETWORK, **FOR_CUDA, **FOR_FILES}
    wanted = [(name, requirement) for name, requirement in every.items() if requirement in requirements]
    return names([requirement for name, requirement in wanted if name in sys.modules])


def refuse_without_dicom() -> None:
    """For scripts, where nobody can be asked. Raises CMROrientError where DICOM files cannot be read and written."""
    absent = missing(FOR_DICOM)
    if absent:
        raise CMROrientError(install_by_hand(absent))


def ensure_dicom(task: Task) -> None:
    """Install what DICOM files need, after one question. Raises CMROrientError where that is declined or fails."""
    absent = missing(FOR_DICOM)
    if not absent:
        return
    question = _(
        "To read and write DICOM files CMROrient needs:\n\n{packages}\n\nIt is installed into this Slicer. "
        "Install it now?"
    )
    if not _confirm(question.format(packages=_listed(absent))):
        raise CMROrientError(_("Nothing was installed."))
    loaded = _loaded_already(absent)
    _install(task, absent)
    if loaded:
        said = _("Restart Slicer: {packages} is used in its old version until then.")
        raise CMROrientError(said.format(packages=loaded))
