"""Errors name their file once, also after a trip between processes."""

import pickle
from collections.abc import Iterator
from copy import copy

import pytest

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.run import output


@pytest.mark.parametrize("kind", [CMROrientError, UsageError])
def test_the_message_survives_pickling(kind):
    error = kind("is empty; copy it again", "scans/case 1.nii")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error) == "scans/case 1.nii: is empty; copy it again"
    assert str(kind("no images found")) == "no images found"


def kinds_of(kind: type[CMROrientError]) -> Iterator[type[CMROrientError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from kinds_of(narrower)


def test_every_kind_can_be_copied() -> None:
    """Whatever a kind of its own knows besides, copies and worker processes make it of message and path."""
    kinds = set(kinds_of(CMROrientError))
    assert output._NotRemovedError in kinds
    for kind in kinds:
        error = kind("cannot be read", "a.nii")
        again = copy(error)
        assert type(again) is kind and str(again) == str(error) == "a.nii: cannot be read"
