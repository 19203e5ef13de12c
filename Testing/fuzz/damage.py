"""Damage as disks, transfers and hasty programs do it, drawn from a seed: the same each time."""

from __future__ import annotations

import random
from collections.abc import Callable

#: Numbers that programs write by mistake, as text and as bytes.
_ABSURD = (b"0", b"-1", b"nan", b"inf", b"1e308", b"65535", b"99999999999", b"")
_EDGES = (b"\0\0", b"\xff\xff", b"\xff\x7f", b"\0\x80", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f")

#: Most of what can go wrong stands in the first bytes.
_HEADER = 700


def damaged(raw: bytes, draw: random.Random) -> bytes:
    """A file's bytes with one to four kinds of damage."""
    for _ in range(draw.randint(1, 4)):
        raw = draw.choice(_KINDS)(raw, draw)
    return raw


def _place(raw: bytes, draw: random.Random) -> int:
    end = len(raw) if draw.random() < 0.3 else min(len(raw), _HEADER)
    return draw.randrange(end) if end else 0


def _cut(raw: bytes, draw: random.Random) -> bytes:
    return raw[: _place(raw, draw)]


def _flip(raw: bytes, draw: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(draw.randint(1, 8)):
        if changed:
            changed[_place(raw, draw)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _overwrite(raw: bytes, draw: random.Random) -> bytes:
    start, edge = _place(raw, draw), draw.choice(_EDGES)
    return raw[:start] + edge + raw[start + len(edge) :]


def _number(raw: bytes, draw: random.Random) -> bytes:
    """Another number where one stands as text."""
    digits = [n for n, byte in enumerate(raw[:_HEADER]) if chr(byte).isdigit()]
    if not digits:
        return raw
    start = draw.choice(digits)
    end = start
    while end < len(raw) and (chr(raw[end]).isdigit() or raw[end] in b".-"):
        end += 1
    return raw[:start] + draw.choice(_ABSURD) + raw[end:]


def _lose_sector(raw: bytes, draw: random.Random) -> bytes:
    start = _place(raw, draw) // 64 * 64
    return raw[:start] + bytes(len(raw[start : start + 64])) + raw[start + 64 :]


def _repeat(raw: bytes, draw: random.Random) -> bytes:
    start = _place(raw, draw)
    return raw[:start] + raw[start : start + draw.randint(1, 40)] * 2 + raw[start:]


def _text_mode(raw: bytes, draw: random.Random) -> bytes:
    """A transfer that took a binary file for text."""
    return raw.replace(b"\n", b"\r\n") if draw.random() < 0.5 else raw.replace(b"\r\n", b"\n").replace(b"\0", b"")


def _grow(raw: bytes, draw: random.Random) -> bytes:
    return raw + bytes(draw.randrange(256) for _ in range(draw.randint(1, 200)))


_KINDS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut,
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _number,
    _lose_sector,
    _repeat,
    _text_mode,
    _grow,
)
