"""The file that a store is: its tables, whose it is, and its failures as sentences."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CMROrientError, UsageError
from .tables import JSONL_NAME

STORE_NAME = "cmrorient.sqlite"

#: In the file's header: "CMRO", and the version of the tables.
_APPLICATION = 0x434D524F
_VERSION = 1

#: Names are kept as bytes: those of files need not be valid text.
_TABLES = """
CREATE TABLE images (
    path BLOB NOT NULL, series BLOB NOT NULL, record TEXT NOT NULL, source BLOB, before BLOB, after BLOB,
    PRIMARY KEY (path, series)
);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)
"""

#: What came later: large pictures, and what files are told by. A store without gets it when a run opens it.
_LATER = (
    """
CREATE TABLE IF NOT EXISTS views (
    path BLOB NOT NULL, series BLOB NOT NULL, views BLOB, outlines BLOB, PRIMARY KEY (path, series)
)
""",
    """
CREATE TABLE IF NOT EXISTS seen (
    path BLOB NOT NULL, series BLOB NOT NULL, checksums TEXT NOT NULL, PRIMARY KEY (path, series)
)
""",
)

#: Seconds to wait for somebody who only reads.
PATIENCE = 2.0


def has_record(folder: Path) -> bool:
    """Whether a run has written to this folder. A store without a byte is of one that could not begin."""
    return holds_data(folder / STORE_NAME) or (folder / JSONL_NAME).is_file()


def holds_data(store: Path) -> bool:
    """Whether a store is more than a file without a byte."""
    try:
        return store.is_file() and store.stat().st_size > 0
    except FileNotFoundError:
        return False


def open_to_read(path: Path, elsewhere: Path) -> sqlite3.Connection:
    """A connection that only reads. Where a run was killed while it wrote, a copy is mended elsewhere and read."""
    journal = path.with_name(f"{path.name}-journal")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", timeout=PATIENCE, uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error) or not journal.is_file():
            raise
        for file in (path, journal):
            shutil.copyfile(file, elsewhere / file.name)
        connection = sqlite3.connect(elsewhere / path.name)
    return connection


def make_tables(connection: sqlite3.Connection, path: Path) -> bool:
    """Make the tables that are missing, and tell whether all were. Raises UsageError where they are not ours."""
    fresh = bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)
    if fresh:
        for table in _TABLES.split(";"):
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    check_tables(connection, path)
    for table in _LATER:
        connection.execute(table)
    return fresh


def check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Raise UsageError where this is no store, or one of another version."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != _APPLICATION:
        raise UsageError("this is no store of a run; move it away", path)
    if version != _VERSION:
        raise UsageError(
            f"the run's store is of version {version}, this program knows version {_VERSION}: go on with the program "
            f"that wrote it, or move it away (the run then goes on from {JSONL_NAME}, and draws its pictures anew)",
            path,
        )


def damaged(path: Path, reason: str, kind: type[CMROrientError]) -> CMROrientError:
    """The error for a store that is not whole."""
    return kind(
        f"the run's store is damaged ({reason}); move it away, and the run goes on from {JSONL_NAME}",
        path,
    )


@contextmanager
def told(path: Path, kind: type[CMROrientError]) -> Iterator[None]:
    """Every failure of SQLite as a sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise kind("another run is at work in this folder; wait for its end", path.parent) from error
        raise kind(f"the run's store cannot be written or read ({error})", path) from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error), kind) from error
