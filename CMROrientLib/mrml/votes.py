"""The votes of the slices as a table of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..i18n import _
from ..orientation import Orientation
from .node_types import Scene, TableNode

if TYPE_CHECKING:
    from vtk import vtkAbstractArray

    from ..recognition.result import Recognition


#: Names of the columns of probabilities: the classes' English labels, by which scripts find them in every language.
_PROBABILITIES = (
    "P0 standard",
    "P1 flipped left to right",
    "P2 flipped upside down",
    "P3 turned by 180°",
    "P4 transposed",
    "P5 turned by 90° clockwise",
    "P6 turned by 90° counter-clockwise",
    "P7 transposed over the other diagonal",
)


@dataclass(frozen=True)
class _Column:
    """One column: the name that scripts know, the title that people read, its values."""

    name: str
    title: str
    kind: type[int] | type[float] | type[str]
    values: Sequence[int] | Sequence[float] | Sequence[str]

    def made(self) -> vtkAbstractArray:
        """The column as VTK holds it."""
        import vtk

        kinds = {int: vtk.vtkIntArray, float: vtk.vtkDoubleArray, str: vtk.vtkStringArray}
        column = kinds[self.kind]()
        column.SetName(self.name)
        for value in self.values:
            column.InsertNextValue(value)
        return column


def votes_table(scene: Scene, recognition: Recognition, name: str) -> TableNode:
    """A table node with a row for each slice that the network saw; it saves with the scene.

    Slices and phases count from 1, as on the panel. The last eight columns are the probabilities
    of the classes 0 to 7.
    """
    import vtk

    probabilities = recognition.slice_probabilities
    winners = [Orientation(int(row.argmax())) for row in probabilities]
    columns = [
        _Column("Phase", _("Phase"), int, [int(phase) + 1 for phase in recognition.slice_indices[:, 0]]),
        _Column("Slice", _("Slice"), int, [int(index) + 1 for index in recognition.slice_indices[:, 1]]),
        _Column("Class", _("Class"), int, [int(winner) for winner in winners]),
        _Column("Orientation", _("Orientation"), str, [winner.label for winner in winners]),
        _Column("Probability", _("Probability"), float, [float(row.max()) for row in probabilities]),
        _Column("Agreement", _("Agreement"), float, [float(share) for share in recognition.agreement]),
    ]
    for k, column_name in zip(Orientation, _PROBABILITIES, strict=True):
        title = f"P{k.value} {k.label}"
        columns.append(_Column(column_name, title, float, [float(value) for value in probabilities[:, k]]))
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(f"{name} votes"))
    table = vtk.vtkTable()
    for column in columns:
        table.AddColumn(column.made())
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    for column in columns:
        if column.title != column.name:
            node.SetColumnTitle(column.name, column.title)
    node.SetDescription(_("A row for each slice that was looked at; slices and phases count from 1."))
    node.SetAttribute("CMROrient.Votes", " ".join(str(int(count)) for count in recognition.votes))
    if recognition.slice_order != "unknown":
        node.SetAttribute("CMROrient.SliceOrder", recognition.slice_order)
    return node
