"""The votes of the slices as a table of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..orientation import Orientation
from .node_types import Scene, TableNode

if TYPE_CHECKING:
    from ..recognition.result import Recognition


def votes_table(scene: Scene, recognition: Recognition, name: str) -> TableNode:
    """A table node with a row for each slice that the network saw; it saves with the scene.

    Slices and phases count from 1, as on the panel. The last eight columns are the probabilities
    of the classes 0 to 7.
    """
    import vtk

    columns: list[tuple[str, type[vtk.vtkAbstractArray], Sequence[int | float | str]]] = [
        ("Phase", vtk.vtkIntArray, [int(phase) + 1 for phase, _ in recognition.slice_indices]),
        ("Slice", vtk.vtkIntArray, [int(index) + 1 for _, index in recognition.slice_indices]),
    ]
    winners = [Orientation(int(row.argmax())) for row in recognition.slice_probabilities]
    columns += [
        ("Class", vtk.vtkIntArray, [int(winner) for winner in winners]),
        ("Orientation", vtk.vtkStringArray, [winner.label for winner in winners]),
        ("Probability", vtk.vtkDoubleArray, [float(row.max()) for row in recognition.slice_probabilities]),
        ("Agreement", vtk.vtkDoubleArray, [float(share) for share in recognition.agreement]),
    ]
    columns += [
        (f"P{k.value} {k.label}", vtk.vtkDoubleArray, [float(value) for value in recognition.slice_probabilities[:, k]])
        for k in Orientation
    ]
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(f"{name} votes"))
    table = vtk.vtkTable()
    for title, kind, values in columns:
        column = kind()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetDescription("A row for each slice that was looked at; slices and phases count from 1.")
    node.SetAttribute("CMROrient.Votes", " ".join(str(int(count)) for count in recognition.votes))
    return node
