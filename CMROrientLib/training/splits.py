"""Splits by subject, written to disk, so that a test subject is never trained on later either."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import CMROrientError, UsageError
from ..io.atomic import write_text
from .cases import Case


@dataclass(frozen=True)
class Split:
    """Who is trained on and who is tested on: sorted names of subjects."""

    train: tuple[str, ...]
    test: tuple[str, ...]

    def training(self, case: Case) -> bool:
        """Whether a case is trained on."""
        return case.subject in self._trained

    def testing(self, case: Case) -> bool:
        """Whether a case is tested on."""
        return case.subject in self._tested

    def __post_init__(self) -> None:
        both = set(self.train) & set(self.test)
        if both:
            raise CMROrientError(f"these subjects are in both parts of the split: {', '.join(sorted(both)[:5])}")

    @cached_property
    def _trained(self) -> frozenset[str]:
        return frozenset(self.train)

    @cached_property
    def _tested(self) -> frozenset[str]:
        return frozenset(self.test)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_text(path, json.dumps({"train": self.train, "test": self.test}, indent=0) + "\n")

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what ``save`` wrote. Raises CMROrientError where it is no split."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(data["train"]), tuple(data["test"]))
        except OSError as error:
            raise UsageError(f"the split cannot be read ({error.strerror or error}); check the file", path) from error
        except (ValueError, KeyError, TypeError) as error:
            raise CMROrientError(
                f"not a split (JSON with 'train' and 'test' lists of subjects): {error}", path
            ) from error


def split_by_subject(cases: Sequence[Case], test_share: float = 0.2, seed: int = 0) -> Split:
    """A random split of the subjects, each data set giving its share of test subjects.

    Parameters
    ----------
    test_share:
        Share of subjects to test on, 0 to below 1.
    seed:
        The same seed and subjects give the same split, whatever the order of the cases.
    """
    groups: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        groups[case.subject.split("/")[0]].add(case.subject)
    random = np.random.default_rng(seed)
    train: list[str] = []
    test: list[str] = []
    for name in sorted(groups):
        subjects = sorted(groups[name])
        order = random.permutation(len(subjects))
        count = round(test_share * len(subjects))
        if test_share > 0 and len(subjects) > 1:
            count = max(count, 1)
        test += [subjects[i] for i in order[:count]]
        train += [subjects[i] for i in order[count:]]
    return Split(tuple(sorted(train)), tuple(sorted(test)))


def split_of(cases: Sequence[Case], stored: Path | None, test_share: float, seed: int) -> Split:
    """A stored split, as far as it is about the subjects of these cases; a random one where there is none.

    Raises
    ------
    CMROrientError
        Where a subject is in neither part.
    """
    if stored is None:
        return split_by_subject(cases, test_share, seed)
    known = Split.load(stored)
    subjects = {case.subject for case in cases}
    missing = subjects - set(known.train) - set(known.test)
    if missing:
        raise CMROrientError(f"{len(missing)} subjects are in neither part, {min(missing)} for one", stored)
    return Split(tuple(s for s in known.train if s in subjects), tuple(s for s in known.test if s in subjects))
