"""A failure at any step of what the Slicer module does: each call of its functions, and of VTK's and MRML's from them.

Steps are found by watching an undisturbed run, so that a step which is added later is tried without a list to keep.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import parts


class Injected(RuntimeError):
    """What no part of the module knows how to handle."""


@dataclass(frozen=True)
class Step:
    """One call, at which something may fail.

    Parameters
    ----------
    what:
        The function: ``output._fill``, or ``output._fill > vtkMRMLScalarVolumeNode.SetVoxelValueUnits``.
    when:
        ``before`` the call, or ``after`` it.
    number:
        1 for the first such call of the run.
    """

    what: str
    when: str
    number: int

    def __str__(self) -> str:
        return f"{self.when} {self.what} #{self.number}"


#: What an event of the interpreter says of a step.
_WHEN = {"call": "before", "return": "after", "c_call": "before", "c_return": "after"}

#: VTK's calls that only ask: where one fails, so might the next that writes.
_ASKING = ("Get", "Is", "Has")


@dataclass(frozen=True)
class Watched:
    """The functions whose calls are steps.

    Parameters
    ----------
    folders:
        Where their files lie, relative to the repository.
    but:
        Names of files whose functions are none: what undoes and tells a failure.
    """

    folders: tuple[str, ...]
    but: tuple[str, ...] = ()
    _names: dict[CodeType, str | None] = field(default_factory=dict, compare=False, repr=False)

    def step_of(self, frame: FrameType, event: str, argument: Any) -> tuple[str, str] | None:
        """(what, when) of an event of the interpreter; None where it is no step."""
        code = frame.f_code
        name = self._names.get(code, "")  # asked for every call of the process
        if name == "":
            name = self._names[code] = self._name(code)
        if name is None or event not in _WHEN:
            return None
        if event in ("call", "return"):
            # A comprehension is no step of its own.
            return None if code.co_name.startswith("<") else (name, _WHEN[event])
        owner = type(getattr(argument, "__self__", None)).__name__
        if not owner.startswith("vtk") or argument.__name__.startswith(_ASKING):
            return None
        return f"{name} > {owner}.{argument.__name__}", _WHEN[event]

    def _name(self, code: CodeType) -> str | None:
        path = Path(code.co_filename)
        inside = any(path.is_relative_to(parts.REPOSITORY / folder) for folder in self.folders)
        return f"{path.stem}.{code.co_name}" if inside and path.name not in self.but else None


def steps_of(run: Callable[[], object], watched: Watched) -> list[Step]:
    """The steps of a run, in order: of each function's calls the first and the last one.

    After a function that wrote nothing its caller is where it was before: that is no step of its own.
    """
    seen: Counter[tuple[str, str]] = Counter()
    order: list[Step] = []
    written = 0
    before: list[int] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal written
        step = watched.step_of(frame, event, argument)
        if step is None:
            return
        seen[step] += 1
        written += event == "c_call"
        if event == "call":
            before.append(written)
        if event != "return" or before.pop() != written:
            order.append(Step(*step, seen[step]))

    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(None)
    return [step for step in order if step.number in (1, seen[step.what, step.when])]


@contextmanager
def failing_at(step: Step, watched: Watched) -> Iterator[list[Step]]:
    """Within it the step raises ``Injected``; what is given holds it as soon as it did."""
    count = 0
    done: list[Step] = []

    def fail(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if watched.step_of(frame, event, argument) == (step.what, step.when):
            count += 1
            if count == step.number:
                done.append(step)
                raise Injected(str(step))

    sys.setprofile(fail)
    try:
        yield done
    finally:
        sys.setprofile(None)
