"""Long work on the panel: progress, Cancel, and everything else locked meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType

import qt
import slicer
from slicer.i18n import tr as _

from CMROrientLib.errors import CMROrientError


@contextlib.contextmanager
def wait_cursor() -> Iterator[None]:
    """The cursor says wait: for what lets no events through."""
    slicer.app.setOverrideCursor(qt.Qt.WaitCursor)
    try:
        yield
    finally:
        slicer.app.restoreOverrideCursor()


class Cancelled(Exception):
    """The person pressed Cancel, or closed the scene."""


class Task:
    """Work with progress that can be cancelled.

    Slicer's nodes and windows live in one thread, so the work runs in it and lets events through
    between its steps. Presses that come in then meet a locked panel.

    Parameters
    ----------
    show:
        Called with (running, sentence, done, total) whenever something is to be shown.
    """

    def __init__(self, show: Callable[[bool, str, int, int], None]) -> None:
        self._show = show
        self._sentence = ""
        self.running = False
        #: False in a part that only ends by itself.
        self.can_be_cancelled = True
        self._cancelled = ""

    def __call__(self, sentence: str) -> Task:
        """Name the work: ``with task("Looking at slices"): …``."""
        self._sentence = sentence
        return self

    def __enter__(self) -> Task:
        # Not every way to a task is a button that can be locked.
        if self.running:
            raise CMROrientError(_("Something is being done already; wait until it has ended."))
        self.running, self._cancelled = True, ""
        try:
            self._show(True, self._sentence, 0, 0)
        except BaseException:
            # What is not entered is not left either, and would stay locked.
            self.running = False
            self._show(False, "", 0, 0)
            raise
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Unlock what was locked; nothing is shown to be going on any more."""
        self.running = False
        self._show(False, "", 0, 0)

    def progress(self, done: int, total: int) -> None:
        """Show how far it is; raises ``Cancelled`` where the person wants no more."""
        self._show(True, self._sentence, done, total)
        slicer.app.processEvents()
        if self._cancelled:
            raise Cancelled(self._cancelled)

    @contextlib.contextmanager
    def uninterrupted(self, sentence: str) -> Iterator[None]:
        """A part of the work that nobody can stop: it has its own words, and the cursor says wait.

        Events may come through. A Cancel that came before it, or the scene's closing, ends the work after it.
        """
        before, self._sentence, self.can_be_cancelled = self._sentence, sentence, False
        try:
            with wait_cursor():
                self._show(True, sentence, 0, 0)
                slicer.app.processEvents()
                yield
        finally:
            self._sentence, self.can_be_cancelled = before, True
            self._show(True, before, 0, 0)
        if self._cancelled:
            raise Cancelled(self._cancelled)

    def say(self, sentence: str) -> None:
        """Name the part of the work that comes now."""
        self._sentence = sentence

    def cancel(self, why: str = "") -> None:
        """End the work at its next step; ``why`` is said where something else than Cancel ends it."""
        if self.running:
            self._cancelled = why or _("Cancelled; the scene is as it was.")
