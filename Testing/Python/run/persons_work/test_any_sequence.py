"""Any sequence of runs, options and edits: a person's work is never lost.

Four things hold after every step: what a person changed in the output folder is there; another
study's images never get in; an image and its mask are in one orientation; what a person decided
stays decided. ``CMRORIENT_LONG`` is the number of sequences of forty steps (``make test-long``).
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sample_study import phantom, put

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.folders import correct_folder
from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.store import read_records
from CMROrientLib.run.store_file import has_record
from CMROrientLib.volume import Volume

LONG = "CMRORIENT_LONG" in os.environ

NAMES = ("a.nii", "b.nii")
PEOPLE = {"P1": 0, "P2": 7}
SMALL = {"size": (32, 40), "slices": 2}


class Stopped(Exception):
    """A run that ends in the middle, as Ctrl-C ends it."""


def kill_after(moves: int, run: Callable[[], object]) -> None:
    """Run in a child process that is killed once so many files of images have got their names."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    left, real = moves, Path.replace

    def replace(path: Path, target: Path) -> Path:
        nonlocal left
        if ".nii" in Path(target).name:
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return real(path, target)

    Path.replace = replace  # type: ignore[method-assign,assignment]
    try:
        run()
    finally:
        os._exit(0)


@cache
def image_and_mask(person: str, name: str, orientation: Orientation) -> tuple[Volume, Volume]:
    seed = PEOPLE[person] + NAMES.index(name)
    return phantom(orientation, seed=seed, with_mask=True, **SMALL)  # type: ignore[return-value]


def mask_of(name: str) -> str:
    return name.replace(".nii", "_seg.nii")


class AnySequence(RuleBasedStateMachine):
    """A person with two studies of the same file names and one output folder."""

    @initialize()
    def studies(self) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.out = self.place / "out"
        for person in PEOPLE:
            for name in NAMES:
                image, mask = image_and_mask(person, name, Orientation.ROTATE_90)
                put(image, self.place / person / name)
                put(mask, self.place / person / mask_of(name))
        self.edited: dict[str, bytes] = {}
        self.decided: dict[str, Orientation] = {}
        #: Whose images are in the output folder, and which of them have their mask beside them.
        self.owner: dict[str, str] = {}
        self.paired: set[str] = set()
        self.notes: set[bytes] = set()
        self.edits = 0

    def teardown(self) -> None:
        if hasattr(self, "place"):
            shutil.rmtree(self.place, ignore_errors=True)

    @rule(
        person=st.sampled_from(["P1", "P1", "P1", "P2"]),
        orientation=st.sampled_from([None, None, 5, 3]),
        result=st.sampled_from([0, 2]),
        masks=st.sampled_from([(), ("_seg",)]),
        more=st.sampled_from([{}, {}, {}, {"overwrite": True}, {"reset_decisions": True}, {"skip_conflicts": True}]),
        single=st.booleans(),
        stops=st.booleans(),
        killed=st.sampled_from([None, None, None, 0, 1, 2]),
    )
    def run(
        self,
        person: str,
        orientation: int | None,
        result: int,
        masks: tuple[str, ...],
        more: dict[str, bool],
        single: bool,
        stops: bool,
        killed: int | None,
    ) -> None:
        """Any run, from any folder, with any options; some are stopped after their first image.

        Some are killed first between two files, or an image and its mask, and the same run completes them.
        """

        def stop(outcome: object, done: int, total: int) -> None:
            if stops:
                raise Stopped

        before = {path: path.read_bytes() for path in self.files()}
        names = ("a.nii",) if single else NAMES
        foreign = [name for name in names if self.owner.get(name, person) != person]
        inputs = self.place / person / ("a.nii" if single else "")
        asked: dict[str, Any] = {"orientation": orientation, "target": result, "masks": masks, **more}
        asked |= {"averaging": False, "min_confidence": 0.0}
        # A network does not outlive a fork; nothing is to be killed in a run that is refused.
        if killed is not None and orientation is not None and not foreign and hasattr(os, "fork"):
            stops = False
            kill_after(killed, lambda: correct_folder(inputs, self.out, **asked))
        try:
            correct_folder(inputs, self.out, progress=stop, **asked)
        except Stopped:
            pass
        except (UsageError, CMROrientError):
            assert {path: path.read_bytes() for path in self.files()} == before, "refused before anything is written"
            return
        assert not foreign, "another person's image of the same name is refused"
        self.take_over(person, names, orientation, more)

    @rule(
        orientation=st.sampled_from([5, 3]),
        masks=st.sampled_from([(), ("_seg",)]),
        more=st.sampled_from([{}, {"overwrite": True}, {"target": 2}, {"reset_decisions": True}]),
    )
    def contest(self, orientation: int, masks: tuple[str, ...], more: dict[str, Any]) -> None:
        """Both people's images of one name at once: what lies there stays, and the other image is done."""
        foreign = self.owner.get("b.nii", "P1") != "P1"
        inputs = [self.place / "P1" / "a.nii", self.place / "P2" / "a.nii", self.place / "P1" / "b.nii"]
        names = ("a.nii", mask_of("a.nii"))
        before = {path: path.read_bytes() for path in self.files()}, [self.content(name) for name in names]
        try:
            records = correct_folder(inputs, self.out, orientation=orientation, masks=masks, **more)
        except (UsageError, CMROrientError):
            assert {path: path.read_bytes() for path in self.files()} == before[0], "refused before anything is written"
            return
        assert not foreign, "another person's image of the same name is refused"
        assert [self.content(name) for name in names] == before[1]
        assert [record.error is not None for record in records[:2]] == [True, True]
        self.take_over("P1", ("b.nii",), orientation, more)

    def take_over(self, person: str, names: tuple[str, ...], orientation: int | None, more: dict[str, Any]) -> None:
        """What a run has changed."""
        if more.get("overwrite"):
            self.edited = {name: data for name, data in self.edited.items() if self.content(name) == data}
        records = {record.path: record for record in read_records(self.out)}
        for name in names:
            record = records.get(name)
            if record is not None and record.output is not None:
                self.owner[name] = person
                self.paired |= {name} if record.files.masks else set()
            elif record is not None:
                self.owner.pop(name, None)
            if record is None or record.error is not None:
                continue
            if record.decided_by_user and record.orientation is not None and orientation is not None:
                self.decided[name] = record.orientation
            elif more.get("reset_decisions") and not record.decided_by_user:
                self.decided.pop(name, None)

    @precondition(lambda self: any(True for _ in self.files()))
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """A person works on an output."""
        path = data.draw(st.sampled_from(sorted(self.files())))
        self.edits += 1
        content = f"edit {self.edits}".encode()
        path.write_bytes(content)
        self.edited[path.name] = content

    @precondition(lambda self: any(True for _ in self.files()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A person removes an output."""
        path = data.draw(st.sampled_from(sorted(self.files())))
        path.unlink()
        self.edited.pop(path.name, None)

    @rule(name=st.sampled_from(NAMES), person=st.sampled_from(sorted(PEOPLE)))
    def lose_or_find_a_mask(self, name: str, person: str) -> None:
        """A mask is taken out of the study, or comes back."""
        path, away = self.place / person / mask_of(name), self.place / f"{person}-{mask_of(name)}"
        (path if path.exists() else away).rename(away if path.exists() else path)

    @rule()
    def spoil_the_table(self) -> None:
        """A person writes something of their own into the table."""
        if self.out.is_dir():
            self.edits += 1
            table, notes = self.out / "cmrorient.csv", f"notes {self.edits}".encode()
            if table.is_file():
                self.notes.discard(table.read_bytes())
            table.write_bytes(notes)
            self.notes.add(notes)

    @invariant()
    def edits_are_there(self) -> None:
        for name, content in getattr(self, "edited", {}).items():
            assert self.content(name) == content

    @invariant()
    def notes_are_there(self) -> None:
        if getattr(self, "notes", None):
            assert self.notes <= {path.read_bytes() for path in self.out.glob("*.csv")}

    @invariant()
    def image_and_mask_are_in_one_orientation_and_of_one_person(self) -> None:
        # Without its image or its mask a pair is none; a mask that no run was told of is an image like any other.
        self.paired = {name for name in getattr(self, "paired", ()) if self.content(mask_of(name)) is not None}
        for name in self.paired & self.owner.keys():
            pair = [self.out / name, self.out / mask_of(name)]
            if not all(path.is_file() for path in pair) or {path.name for path in pair} & self.edited.keys():
                continue
            arrays = [read(path).array for path in pair]
            assert any(
                np.array_equal(arrays[0], k.apply(image.array)) and np.array_equal(arrays[1], k.apply(mask.array))
                for image, mask in [image_and_mask(self.owner[name], name, Orientation.IDENTITY)]
                for k in Orientation
            )

    @invariant()
    def decisions_stay(self) -> None:
        if not getattr(self, "decided", {}) or not has_record(self.out):
            return
        records = {record.path: record for record in read_records(self.out)}
        for name, orientation in self.decided.items():
            assert records[name].decided_by_user and records[name].orientation == orientation

    def files(self) -> list[Path]:
        """The outputs."""
        return list(self.out.glob("*.nii")) if hasattr(self, "out") and self.out.is_dir() else []

    def content(self, name: str) -> bytes | None:
        path = self.out / name
        return path.read_bytes() if path.is_file() else None


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(
    max_examples=int(os.environ.get("CMRORIENT_LONG", "8")),
    stateful_step_count=40 if LONG else 12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
