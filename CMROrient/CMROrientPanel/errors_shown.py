"""Errors of what a person pressed, told where they can be acted on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Protocol

import slicer
from slicer.i18n import tr as _

from CMROrientLib.errors import CMROrientError

from .task import Cancelled, Task


class Say(Protocol):
    """Tells a sentence on the panel."""

    def __call__(self, sentence: str, is_error: bool = False) -> None:
        """Tell it, as an error where it is one."""


@contextlib.contextmanager
def errors_shown(say: Say, task: Task, afterwards: Callable[[], None]) -> Iterator[None]:
    """Sentences that a person can act on go to the panel, everything else to Slicer's error box as well.

    Parameters
    ----------
    say:
        Tells a sentence on the panel.
    task:
        Work that is begun within ends here, whatever kept it from ending itself: else all would stay locked.
    afterwards:
        Called in any case, when everything is told.
    """
    before = task.running
    try:
        yield
    except Cancelled as end:
        say(str(end))
    except CMROrientError as error:
        logging.info("CMROrient: %s", error)
        say(str(error), is_error=True)
    except Exception as error:
        say(_("Failed: {error}").format(error=error), is_error=True)
        slicer.util.errorDisplay(_("CMROrient failed.\n\n{error}").format(error=error))
        raise
    finally:
        if not before:
            task.end()
        afterwards()
