"""Records from their flat form: as tests write them down."""

from __future__ import annotations

from CMROrientLib.run.record import Record


def flat(path: str, **fields: object) -> Record:
    """A record with some fields of its flat form; the others are as in one that says nothing."""
    return Record.from_dict({**Record(path).to_dict(), **fields})


def changed(record: Record, **fields: object) -> Record:
    """The record with some fields of its flat form changed."""
    return Record.from_dict({**record.to_dict(), **fields})
