"""Packed voxels, by ISA-L and by zlib: the same data whichever packs or unpacks them, damage told by both."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io import deflate, read, voxels, write
from CMROrientLib.phantom.phantom import make_phantom

PACKED = (".nii.gz", ".nrrd", ".mha")


@pytest.fixture(params=["isal", "zlib"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the one that is installed, and as if it were not."""
    if request.param == "isal":
        pytest.importorskip("isal")
    else:
        monkeypatch.setattr(deflate, "igzip", None)
        monkeypatch.setattr(deflate, "isal_zlib", None)
    return str(request.param)


def packed_by_zlib(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data, 6))
    return path


@pytest.mark.usefixtures("engine")
@given(some.binary(max_size=2000), some.integers(1, 60))
@settings(deadline=None, max_examples=60)
def test_any_bytes_come_back(data: bytes, times: int) -> None:
    assert zlib.decompress(deflate.compress(data * times)) == data * times
    engine = deflate.decompressor()
    assert engine.decompress(zlib.compress(data * times), len(data) * times + 1) == data * times
    assert engine.eof


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("suffix", PACKED)
def test_the_same_image_gives_the_same_bytes_and_others_read_them(suffix: str, tmp_path: Path) -> None:
    volume = make_phantom(seed=3, slices=3)
    for name in "ab":
        write(volume, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert np.array_equal(read(tmp_path / f"a{suffix}").array, volume.array)
    if suffix == ".nii.gz":
        assert gzip.decompress((tmp_path / "a.nii.gz").read_bytes())[352:] == np.asarray(volume.stored()[0]).tobytes()


@pytest.mark.usefixtures("engine")
def test_what_zlib_packed_is_read(tmp_path: Path) -> None:
    volume = make_phantom(seed=3, slices=3)
    write(volume, tmp_path / "a.nii")
    packed_by_zlib(tmp_path / "b.nii.gz", (tmp_path / "a.nii").read_bytes())
    assert np.array_equal(read(tmp_path / "b.nii.gz").array, volume.array)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("suffix", PACKED)
def test_damage_anywhere_is_told_and_never_read(suffix: str, tmp_path: Path) -> None:
    volume = make_phantom(seed=3, slices=2)
    write(volume, tmp_path / f"a{suffix}")
    whole = (tmp_path / f"a{suffix}").read_bytes()
    rng = np.random.default_rng(1)
    for place in rng.integers(len(whole) // 2, len(whole), 40):
        broken = bytearray(whole)
        broken[place] ^= 1 << int(rng.integers(8))
        (tmp_path / f"b{suffix}").write_bytes(broken)
        # The last bytes of a gzip stream are its length, which counts as much.
        with pytest.raises(CMROrientError, match=r"damaged|cut short"):
            read(tmp_path / f"b{suffix}")
        (tmp_path / f"b{suffix}").write_bytes(whole[:place])
        with pytest.raises(CMROrientError, match=r"damaged|cut short"):
            read(tmp_path / f"b{suffix}")


#: What is unpacked at a time; at its multiples an engine may have taken all input, and still hold back output.
PIECE = 1 << 24


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("size", [8, 500, PIECE, PIECE + 7])
@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_all_of_a_stream_is_unpacked_however_long_it_is(size: int, pack: Callable[..., bytes]) -> None:
    """Whole, with more in it than was asked for, and never what was cut off."""
    data = bytes(size - 5) + b"heart"
    packed = pack(data, 1)
    for count in (size, size - 1, size // 2):
        assert voxels.inflate(io.BytesIO(packed), count, Path("a.mha")) == data[:count]
    for lost in (1, len(packed) // 2):
        with pytest.raises(CMROrientError, match="is cut short"):
            voxels.inflate(io.BytesIO(packed[:-lost]), size, Path("a.mha"))
    with pytest.raises(CMROrientError, match=f"is cut short: {size:,} of {size + 1:,} bytes"):
        voxels.inflate(io.BytesIO(packed), size + 1, Path("a.mha"))


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("spare", [1, 1000, 3 * PIECE // 2])
def test_a_file_may_hold_more_than_its_header_claims(spare: int, tmp_path: Path) -> None:
    volume = make_phantom(seed=3, slices=1)
    path = tmp_path / "a.mha"
    write(volume, path)
    head, _, _ = path.read_bytes().partition(b"CompressedDataSize")
    packed = zlib.compress(np.asarray(volume.stored()[0]).tobytes() + bytes(spare), 1)
    path.write_bytes(head + b"CompressedDataSize = %d\nElementDataFile = LOCAL\n" % len(packed) + packed)
    assert np.array_equal(read(path).array, volume.array)


@pytest.mark.usefixtures("engine")
def test_a_bomb_takes_no_more_memory_than_is_asked_for(tmp_path: Path) -> None:
    import tracemalloc

    bomb = packed_by_zlib(tmp_path / "bomb.gz", bytes(1 << 28))
    tracemalloc.start()
    with voxels.reading(bomb) as stream:
        assert len(voxels.read_exactly(voxels.decoder(stream, "gzip"), 1000, bomb)) == 1000
    assert tracemalloc.get_traced_memory()[1] < 1 << 23
    tracemalloc.stop()
