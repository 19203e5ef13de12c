"""The record of one image of a run: what was found in it and what was done to it.

In memory it is nested and typed; JSON lines and CSV hold it flat, under the names that ``to_dict``
gives and ``record.schema.json`` describes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..correction import Correction
from ..orientation import Orientation
from ..recognition.result import Decision
from .parts import Action, Finding, Group, ImageFacts, MaskFiles, RecordFiles
from .row import Row

#: The version of the flat form. Lines without a version are those of 1.0: the same but for it.
FORMAT = 2

#: (path, series): what tells a record from the others of a run.
Key = tuple[str, str | None]

#: What stands in JSON.
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True)
class Record:
    """One image of a run.

    Parameters
    ----------
    path:
        The image relative to the path that was given, POSIX style; for a DICOM series of several
        files the folder that they share.
    series:
        SeriesInstanceUID of a DICOM series, else None. ``(path, series)`` names a record.
    image, finding, action, files:
        What was read, found and done; no image where it could not be read or was not looked at, no
        finding after an error, no action where a run only recognizes.
    model:
        ``name@checksum`` of the network, None where a user decided.
    settings:
        Digest of everything that the result depends on besides the files.
    seconds:
        Time spent on this image.
    error:
        One line, or None.
    note:
        Why nothing was written, or what else there is to know.
    version:
        Of this package.
    group:
        The images that it was decided on with, None where it stands alone.
    """

    path: str
    series: str | None = None
    image: ImageFacts | None = None
    finding: Finding | None = None
    action: Action | None = None
    files: RecordFiles = field(default_factory=RecordFiles)
    model: str | None = None
    settings: str | None = None
    seconds: float | None = None
    error: str | None = None
    note: str | None = None
    version: str | None = None
    group: Group | None = None

    @property
    def key(self) -> Key:
        """What tells this record from the others of a run."""
        return self.path, self.series

    @property
    def name(self) -> str:
        """The image as people are told of it."""
        return self.path if self.series is None else f"{self.path} (series {self.series})"

    @property
    def stack(self) -> tuple[str, str | None] | str:
        """What tells the stack that it shows from others: one stored as an image a slice has one name."""
        return self.group.name if self.group is not None and self.group.kind == "stack" else self.key

    @property
    def orientation(self) -> Orientation | None:
        """Class of the stored pixels, None where there is none."""
        return None if self.finding is None else self.finding.orientation

    @property
    def decision(self) -> Decision | None:
        """What was decided, None after an error."""
        return None if self.finding is None else self.finding.decision

    @property
    def conflict(self) -> bool:
        """Whether pixels and header tell different stories."""
        return self.finding is not None and self.finding.conflict

    @property
    def acted_on(self) -> bool:
        """Whether the image is one that a run corrects."""
        return self.finding is not None and self.finding.acted_on

    @property
    def decided_by_user(self) -> bool:
        """Whether a person decided how it is stored, or that it is left alone."""
        return self.finding is not None and self.finding.decided_by == "user"

    @property
    def correction(self) -> Correction | None:
        """What is done to the image, None where nothing is."""
        action, orientation = self.action, self.orientation
        if action is None or action.geometry_class is None or orientation is None:
            return None
        return Correction(
            orientation,
            action.geometry_class,
            action.target,
            reverse_slices=action.slices_reversed,
            reverse_slice_direction=action.slice_direction_reversed,
            renumber=action.renumbered,
        )

    @property
    def output(self) -> str | None:
        """What was written, relative to the output folder; None where nothing was."""
        return self.files.output

    @property
    def failed(self) -> bool:
        """Whether this one makes a run end with status 1."""
        return self.error is not None or self.decision == "uncertain"

    def to_dict(self) -> dict[str, Json]:
        """The flat form, as JSON lines and CSV hold it."""
        image, action, files = self.image, self.action, self.files
        found = self.finding
        return {
            "path": self.path,
            "series": self.series,
            "orientation": None if found is None else _number(found.orientation),
            "header_orientation": None if found is None else _number(found.header_orientation),
            "header_state": None if found is None else found.header_state,
            "conflict": found is not None and found.conflict,
            "mirrored": found is not None and found.mirrored,
            "confidence": None if found is None else found.confidence,
            "decision": None if found is None else found.decision,
            "decided_by": None if found is None else found.decided_by,
            "votes": [0] * len(Orientation) if found is None else list(found.votes),
            "slices": 0 if found is None else found.slices,
            "model": self.model,
            "geometry": None if action is None else action.geometry,
            "geometry_class": None if action is None else _number(action.geometry_class),
            "target": None if action is None else int(action.target),
            "slice_axis": None if image is None else image.slice_axis,
            "grid_in": None if image is None else image.grid.to_json(),
            "grid_out": None if action is None or action.grid is None else action.grid.to_json(),
            "sha256_in": files.sha256_in,
            "sha256_out": files.sha256_out,
            "output": files.output,
            "seconds": self.seconds,
            "error": self.error,
            "note": self.note,
            "files": list(files.written),
            "masks": [_mask_to_dict(mask) for mask in files.masks],
            "agreement": None if found is None else found.agreement,
            "slice_votes": [] if found is None else [int(k) for k in found.slice_votes],
            "words": None if found is None else found.words,
            "network": None if found is None else found.network,
            "settings": self.settings,
            "kind": files.kind,
            "phases": 1 if image is None else image.phases,
            "has_geometry": True if image is None else image.has_geometry,
            "scanner": None if image is None else image.scanner,
            "slice_order": "unknown" if found is None else found.slice_order,
            "slice_order_confidence": None if found is None else found.slice_order_confidence,
            "header_slice_order": None if found is None else found.header_slice_order,
            "angle": None if found is None else found.angle,
            "margin": None if found is None else found.margin,
            "view": "unknown" if found is None else found.view,
            "wanted_slice_order": None if action is None else action.slice_order,
            "slices_reversed": action is not None and action.slices_reversed,
            "slice_direction_reversed": action is not None and action.slice_direction_reversed,
            "renumbered": action is not None and action.renumbered,
            "group": None if self.group is None else self.group.name,
            "group_kind": None if self.group is None else self.group.kind,
            "companions": [] if self.group is None else self.group.flat_companions(),
            "inputs": None if found is None else found.inputs,
            "version": self.version,
            "format": FORMAT,
            **({} if image is None or image.identifiers is None else {"identifiers": dict(image.identifiers)}),
        }

    def to_json(self) -> str:
        """One line of JSON without the line's end."""
        line = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)
        # File names that are not valid UTF-8 reach Python as lone surrogates; JSON can escape them.
        return line if line.isprintable() else json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_dict(cls, flat: Mapping[str, object]) -> Record:
        """A record from its flat form; fields that this version does not know are left out.

        Raises
        ------
        ValueError
            Where it is not a record, or one of a later format.
        """
        row = Row(flat)
        version = row.get("format", int) or 1
        if version > FORMAT:
            raise ValueError(f"it is of format {version}, this version knows formats up to {FORMAT}")
        path = row.get("path", str)
        if path is None:
            raise ValueError("not a record")
        return cls(
            path=path,
            series=row.get("series", str),
            image=ImageFacts.of(row),
            finding=Finding.of(row),
            action=Action.of(row),
            files=RecordFiles(
                kind=row.get("kind", str),
                sha256_in=row.get("sha256_in", str),
                output=row.get("output", str),
                sha256_out=row.get("sha256_out", str),
                written=row.several("files", str),
                masks=tuple(MaskFiles.of(Row(mask)) for mask in row.rows("masks")),
            ),
            model=row.get("model", str),
            settings=row.get("settings", str),
            seconds=row.get("seconds", float),
            error=row.get("error", str),
            note=row.get("note", str),
            version=row.get("version", str),
            group=Group.of(row),
        )

    @classmethod
    def from_json(cls, line: str) -> Record:
        """A record from its line. Raises ValueError where the line is none."""
        flat = json.loads(line)
        if not isinstance(flat, dict):
            raise ValueError("not a record")
        return cls.from_dict(flat)


@lru_cache(maxsize=1)
def schema() -> dict[str, Json]:
    """The JSON Schema (draft 2020-12) of the flat form."""
    found: dict[str, Json] = json.loads(Path(__file__).with_name("record.schema.json").read_text(encoding="utf-8"))
    return found


def _number(orientation: Orientation | None) -> int | None:
    return None if orientation is None else int(orientation)


def _mask_to_dict(mask: MaskFiles) -> dict[str, Json]:
    return {
        "path": mask.path,
        "output": mask.output,
        "sha256_in": mask.sha256_in,
        "sha256_out": mask.sha256_out,
        "files": list(mask.written),
    }
