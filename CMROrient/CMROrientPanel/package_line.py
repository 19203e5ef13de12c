"""The line that tells which packages there are and whether CUDA is used, and its button that repairs them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from slicer.i18n import tr as _

from CMROrientLib.mrml.requirements import FOR_CUDA, FOR_FILES, FOR_NETWORK, State, installed_version, states

from . import packages
from .errors_shown import Say
from .task import Task
from .widgets import Widgets


class PackageLine:
    """What there is of the packages; nothing of them is imported to find out.

    Parameters
    ----------
    ui:
        The widgets of the .ui file.
    task:
        Keeps the panel locked while packages are installed.
    errors_shown:
        What is done within it tells its errors on the panel.
    say:
        Tells a sentence on the panel.
    why_no_cuda:
        Why CUDA is not used, as far as is known.
    """

    def __init__(
        self,
        ui: Widgets,
        task: Task,
        errors_shown: Callable[[], AbstractContextManager[None]],
        say: Say,
        why_no_cuda: Callable[[], str | None],
    ) -> None:
        self._ui = ui
        self._task = task
        self._errors_shown = errors_shown
        self._say = say
        self._why_no_cuda = why_no_cuda
        self._complete = True
        ui.packagesButton.connect("clicked(bool)", self.repair)

    def refresh(self) -> None:
        """Look at the packages and show what there is of them."""
        # All at once: each look reads the lists of what is installed anew.
        asked = {**FOR_NETWORK, **FOR_FILES, **FOR_CUDA}
        found = dict(zip(asked, states(asked), strict=True))
        network, files, cuda = ([found[name] for name in some] for some in (FOR_NETWORK, FOR_FILES, FOR_CUDA))
        lines = [_told(network), self._cuda(cuda)]
        if any(state.problem for state in files):
            lacking = _told([state for state in files if state.problem])
            lines.append(_("For folders and DICOM: {packages}").format(packages=lacking))
        said = "<br>".join(lines)
        self._ui.packagesLabel.text = said
        self._ui.packagesLabel.toolTip = _(
            "To recognize: {network}. On CUDA: an NVIDIA driver, PyTorch that was built for it (Slicer's extension "
            "PyTorch installs it) and {cuda}. For folders and DICOM: {files}."
        ).format(network=_listed(network), cuda=" ".join(FOR_CUDA.values()), files=_listed(files))
        self._complete = not any(found[name].problem for name in packages.needed())
        self.lock()

    def lock(self) -> None:
        """The button can be pressed where there is something to repair and nothing else is being done."""
        if self._task.running:
            why = _("Wait until the work is done, or press Cancel.")
        elif self._complete:
            why = _("Nothing is missing and nothing is too old.")
        else:
            why = ""
        self._ui.packagesButton.enabled = not why
        self._ui.packagesButton.toolTip = why or _("Install what is missing or too old, after one question.")

    def repair(self, checked: bool = False) -> None:
        """Install what is missing or too old."""
        with self._errors_shown():
            with self._task(_("Looking at the packages")) as task:
                said = packages.repair(task)
            self._say(said)

    def _cuda(self, found: list[State]) -> str:
        reason = self._why_no_cuda()
        if reason is not None:
            return _("No CUDA: {reason}").format(reason=reason)
        there = [State("torch", installed_version("torch"), "", ""), *found]
        return _("For CUDA: {packages}").format(packages=_told(there))


def _told(found: list[State]) -> str:
    """The packages with their versions; what is wrong stands out."""
    return ", ".join(f"<b>{state}</b>" if state.problem else str(state) for state in found)


def _listed(found: list[State]) -> str:
    return ", ".join(str(state) for state in found)
