"""What every format answers."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from CMROrientLib.io.nifti.metadata import NiftiMetadata
from CMROrientLib.metadata import Metadata

FULL = NiftiMetadata(
    scaling=(-2.0, 10.0),
    shown_inverted=True,
    time_step=0.03,
    description="short axis,\n  breath\x00hold",
    scanner="A B",
    notes=("One.", "Two."),
    identifiers=(("PatientID", "A1"),),
    encoded=b"header",
    between=b"",
)


@pytest.mark.parametrize(
    ("slope", "inverted", "bright"), [(1, False, False), (-1, False, True), (2.5, True, True), (-0.5, True, False)]
)
def test_small_values_are_bright_where_slope_or_photometry_say_so(slope: float, inverted: bool, bright: bool) -> None:
    assert Metadata(scaling=(slope, 7.0), shown_inverted=inverted).small_values_bright is bright


def test_what_is_common_to_all_formats_is_all_there() -> None:
    common = FULL.common()
    assert type(common) is Metadata
    for field in fields(Metadata):
        assert getattr(common, field.name) == getattr(FULL, field.name) != field.default


def test_a_caption_is_one_line() -> None:
    assert FULL.caption == "short axis, breath hold"
    assert Metadata().caption == ""


def test_real_values() -> None:
    stored = np.array([0, 1, 300], np.int16)
    assert Metadata().real_values(stored) is stored
    real = FULL.real_values(stored)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, [10, 8, -590])
    assert FULL.real_values(stored.astype(np.int32)).dtype == np.float64
