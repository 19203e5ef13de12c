"""Errors name their file once, also after a trip between processes."""

import pickle

import pytest

from CMROrientLib.errors import CMROrientError, UsageError


@pytest.mark.parametrize("kind", [CMROrientError, UsageError])
def test_the_message_survives_pickling(kind):
    error = kind("is empty; copy it again", "scans/case 1.nii")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error) == "scans/case 1.nii: is empty; copy it again"
    assert str(kind("no images found")) == "no images found"
