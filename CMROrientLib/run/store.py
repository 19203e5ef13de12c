"""What a run keeps while it works: one SQLite file in the output folder, with records and pictures.

Each record is in it before the next image is begun, so that a run that was killed goes on where it
stopped. JSON lines, CSV and page are written from it. While a run has it open, no other run and no
reader gets in.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import CMROrientError, UsageError
from ..io.refused import cannot_write
from .pictures.thumbnails import Thumbnails
from .record import Key, Record
from .store_file import PATIENCE, STORE_NAME, check_tables, damaged, holds_data, make_tables, open_to_read, told
from .tables import JSONL_NAME, read_jsonl

#: What files are told by is written for so many images at a time.
_SEEN_AT_A_TIME = 500

#: So many records are asked for at a time: SQLite takes 999 values in a query, or more.
_KEYS_AT_A_TIME = 250


class Store(Mapping[Key, Record]):
    """The records of an output folder by their keys, in the order of the keys.

    Raises
    ------
    UsageError
        Where another run has it open, or it is damaged or of another version.
    CMROrientError
        Where it cannot be written.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._seen: dict[Key, Mapping[str, str]] = {}
        #: Whether a record or a picture was put in since it was opened.
        self.changed = False

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open the store of an output folder for a run, alone; a new one takes over the record of version 1.0.

        The folder is made where it is missing.
        """
        path = folder / STORE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(error, folder, "the output folder", UsageError) from error
        with told(path, UsageError):
            connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            try:
                # Held until the connection is closed or the process ends, however it ends.
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("PRAGMA synchronous = NORMAL")
                # What a record no longer says of a person is not left in free pages of the file either.
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("BEGIN EXCLUSIVE")
                # Asked only now: until then another run may have been filling it.
                fresh = make_tables(connection, path)
                store = cls(connection, path)
                if fresh and (folder / JSONL_NAME).is_file():
                    for record in read_jsonl(folder / JSONL_NAME):
                        store._insert(record, None, None)
                connection.execute("COMMIT")
            except BaseException:
                # The file stays, empty where nothing was in it: to remove it could hit the store of another run.
                connection.close()
                raise
        return store

    @classmethod
    def copy(cls, folder: Path) -> Store:
        """What the store of an output folder knows, without pictures, in memory: nothing is written there."""
        path = folder / STORE_NAME
        with told(path, UsageError):
            connection = sqlite3.connect(":memory:", isolation_level=None)
            make_tables(connection, path)
            store = cls(connection, path)
            if holds_data(path):
                with tempfile.TemporaryDirectory() as elsewhere, closing(open_to_read(path, Path(elsewhere))) as there:
                    check_tables(there, path)
                    rows = there.execute("SELECT path, series, record, source, NULL, NULL FROM images")
                    connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?)", rows)
                    connection.executemany("INSERT INTO facts VALUES (?, ?)", there.execute("SELECT * FROM facts"))
                    if there.execute("SELECT count(*) FROM sqlite_master WHERE name = 'seen'").fetchone()[0]:
                        rows = there.execute("SELECT * FROM seen")
                        connection.executemany("INSERT INTO seen VALUES (?, ?, ?)", rows)
            elif (folder / JSONL_NAME).is_file():
                for record in read_jsonl(folder / JSONL_NAME):
                    store._insert(record, None, None)
        return store

    def put(self, record: Record, pictures: Thumbnails | None = None, source: Path | None = None) -> None:
        """Keep a record in place of the one with its key; what is not given stays as it was.

        Parameters
        ----------
        source:
            Where the image lies, so that another one of the same name can be told from it.
        """
        with told(self._path, CMROrientError):
            self._insert(record, pictures, source)

    def _insert(self, record: Record, pictures: Thumbnails | None, source: Path | None) -> None:
        self.changed = True
        before, after = (None, None) if pictures is None else (pictures.before, pictures.after)
        kept = "record = excluded.record, source = coalesce(excluded.source, source)"
        if pictures is not None:
            kept += ", before = excluded.before, after = excluded.after"
        self._connection.execute(
            # Made of the lines above.
            f"INSERT INTO images VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET {kept}",  # nosec B608
            (*_names(record.key), record.to_json(), None if source is None else os.fsencode(source), before, after),
        )

        if pictures is not None:
            self._connection.execute(
                "INSERT OR REPLACE INTO views VALUES (?, ?, ?, ?)",
                (*_names(record.key), pictures.views, pictures.outlines),
            )

    def source_of(self, key: Key) -> str | None:
        """Where the image of a record lay; None where that is not known."""
        return next((source for _, source in self.sources_of([key])), None)

    def seen(self, key: Key) -> dict[str, str]:
        """Checksums of an image's files by their stamps, as ``keep_seen`` was given them."""
        if key in self._seen:
            return dict(self._seen[key])
        row = self._one("checksums", key, "seen")
        return {} if row is None else _checksums(row[0])

    def keep_seen(self, key: Key, checksums: Mapping[str, str]) -> None:
        """Keep the checksums of an image's files by their stamps.

        They are written some hundred at a time: where they are lost, the next run reads these files once more.
        """
        self._seen[key] = checksums
        if len(self._seen) >= _SEEN_AT_A_TIME:
            self._write_seen()

    def _write_seen(self) -> None:
        rows = [(*_names(key), json.dumps(dict(checksums))) for key, checksums in self._seen.items()]
        self._seen.clear()
        if rows:
            with told(self._path, CMROrientError):
                self._connection.execute("BEGIN")
                self._connection.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", rows)
                self._connection.execute("COMMIT")

    def fact(self, name: str) -> str | None:
        """Something that an earlier run noted of itself."""
        with told(self._path, CMROrientError):
            row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return None if row is None else str(row[0])

    def note(self, name: str, value: str) -> None:
        """Note something for the next run."""
        with told(self._path, CMROrientError):
            self._connection.execute(
                "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
            )

    def __getitem__(self, key: Key) -> Record:
        row = self._one("record", key)
        if row is None:
            raise KeyError(key)
        return _record(row[0], self._path)

    def known(self, key: Key) -> tuple[Record | None, bool, dict[str, str]]:
        """The record of an image, whether there are pictures of it, and what its files are told by."""
        row = self._one("record, before IS NOT NULL, checksums", key, "images LEFT JOIN seen USING (path, series)")
        if row is None or key in self._seen:
            return self.get(key), self.has_pictures(key), self.seen(key)
        return _record(row[0], self._path), bool(row[1]), _checksums(row[2])

    def lines(self, keys: Iterable[Key]) -> Iterator[str]:
        """The records of images as they stand in JSON lines. Raises KeyError where there is none."""
        for key, line in self._each("record", keys):
            if line is None:
                raise KeyError(key)
            yield str(line)

    def sources_of(self, keys: Iterable[Key]) -> Iterator[tuple[Key, str]]:
        """Where the images of records lay, of those of which that is known."""
        for key, source in self._each("source", keys):
            if source is not None:
                yield key, os.fsdecode(source)

    def __iter__(self) -> Iterator[Key]:
        with told(self._path, CMROrientError):
            for path, series in self._connection.execute("SELECT path, series FROM images ORDER BY path, series"):
                yield os.fsdecode(path), os.fsdecode(series) or None

    def __len__(self) -> int:
        with told(self._path, CMROrientError):
            return int(self._connection.execute("SELECT count(*) FROM images").fetchone()[0])

    def records(self) -> Iterator[Record]:
        """All records in the order of their keys."""
        with told(self._path, CMROrientError):
            for (line,) in self._connection.execute("SELECT record FROM images ORDER BY path, series"):
                yield _record(line, self._path)

    @property
    def pictures(self) -> Pictures:
        """The pictures by the keys of their records."""
        return Pictures(self)

    def pictures_of(self, key: Key) -> Thumbnails | None:
        """The pictures of one image, None where there are none."""
        row = self._one("before, after", key)
        if row is None or row[0] is None:
            return None
        return Thumbnails(row[0], row[1], *(self._one("views, outlines", key, "views") or ()))

    def with_masks(self) -> set[Key]:
        """The keys of the records that may tell of masks; the records are not read for it."""
        with told(self._path, CMROrientError):
            query = "SELECT path, series FROM images WHERE instr(record, ?) > 0"
            rows = self._connection.execute(query, ('"masks": [{',))
            return {(os.fsdecode(path), os.fsdecode(series) or None) for path, series in rows}

    def has_pictures(self, key: Key) -> bool:
        """Whether there are pictures of one image; they are not read for it."""
        row = self._one("before IS NOT NULL", key)
        return row is not None and bool(row[0])

    def _one(self, columns: str, key: Key, table: str = "images") -> tuple[Any, ...] | None:
        with told(self._path, CMROrientError):
            row: tuple[Any, ...] | None = self._connection.execute(
                # Columns that this class names.
                f"SELECT {columns} FROM {table} WHERE path = ? AND series = ?",  # nosec B608
                _names(key),
            ).fetchone()
            return row

    def _each(self, column: str, keys: Iterable[Key]) -> Iterator[tuple[Key, Any]]:
        """A column of many records, None where there is none; some hundred are asked for at a time."""
        waiting = iter(keys)
        while some := list(islice(waiting, _KEYS_AT_A_TIME)):
            asked = ", ".join(["(?, ?)"] * len(some))
            with told(self._path, CMROrientError):
                rows = self._connection.execute(
                    # A column that this class names; joined this way round, each is looked up by its key.
                    f"WITH asked(p, s) AS (VALUES {asked}) SELECT path, series, {column} "  # nosec B608
                    "FROM asked CROSS JOIN images ON path = p AND series = s",
                    [name for key in some for name in _names(key)],
                )
                found = {(path, series): value for path, series, value in rows}
            for key in some:
                yield key, found.get(_names(key))

    def close(self) -> None:
        """Let others in."""
        self._write_seen()
        with told(self._path, CMROrientError):
            # Else the journal's empty file would be left behind.
            self._connection.execute("PRAGMA locking_mode = NORMAL")
            self._connection.execute("SELECT count(*) FROM images").fetchone()
            self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Pictures(Mapping[Key, Thumbnails]):
    """The pictures of a store, read one by one as they are asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, key: Key) -> Thumbnails:
        found = self._store.pictures_of(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and len(key) == 2 and self._store.has_pictures(key)

    def __iter__(self) -> Iterator[Key]:
        return (key for key in self._store if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_records(place: str | os.PathLike[str]) -> list[Record]:
    """The records of a run, from its store where there is one, else from its JSON lines.

    Parameters
    ----------
    place:
        The output folder of a run, or a ``.jsonl`` file.

    Raises
    ------
    CMROrientError
        Where there is no record, it is damaged or of another version, or a run is at work there.
    """
    path = Path(place)
    if path.is_file():
        return read_jsonl(path)
    if holds_data(path / STORE_NAME):
        with told(path / STORE_NAME, CMROrientError):
            address = f"{(path / STORE_NAME).resolve().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, timeout=PATIENCE, uri=True)) as connection:
                check_tables(connection, path / STORE_NAME)
                return list(Store(connection, path / STORE_NAME).records())
    if not (path / JSONL_NAME).is_file():
        raise CMROrientError(
            f"there is no record of a run ({STORE_NAME} or {JSONL_NAME}); "
            "give the folder that 'cmrorient correct' wrote",
            path,
        )
    return read_jsonl(path / JSONL_NAME)


def read_sources(folder: Path) -> dict[Key, Path]:
    """Where the images of a run lay, as far as its store knows; see ``read_records``."""
    if not holds_data(folder / STORE_NAME):
        return {}
    with Store.copy(folder) as store:
        return {key: Path(source) for key, source in store.sources_of(store)}


def _checksums(text: str | None) -> dict[str, str]:
    """Checksums by stamps; what is none is not known."""
    try:
        return {} if text is None else dict(json.loads(text))
    except (ValueError, TypeError):
        return {}


def _names(key: Key) -> tuple[bytes, bytes]:
    path, series = key
    return os.fsencode(path), os.fsencode(series or "")


def _record(line: str, path: Path) -> Record:
    try:
        return Record.from_json(line)
    except ValueError as error:
        raise damaged(path, str(error), CMROrientError) from error
