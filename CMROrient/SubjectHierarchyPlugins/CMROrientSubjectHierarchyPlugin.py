"""What a right-click on a volume offers in the subject hierarchy: recognize and correct its orientation.

Slicer takes the class by the name of this file, see ``CMROrient.setup``. The folder is no package: Slicer has one of
this name, which brings the class to derive from.
"""

from __future__ import annotations

import logging

import qt
import slicer
from slicer.i18n import tr as _
from SubjectHierarchyPlugins import AbstractScriptedSubjectHierarchyPlugin

from CMROrientLib.mrml.input import why_not


class CMROrientSubjectHierarchyPlugin(AbstractScriptedSubjectHierarchyPlugin):
    """Two actions for volumes and the proxies of cines; it owns no items."""

    #: Slicer's way to hand the class on.
    filePath = __file__

    def __init__(self, scriptedPlugin: slicer.qSlicerSubjectHierarchyScriptedPlugin) -> None:
        scriptedPlugin.name = "CMROrient"
        AbstractScriptedSubjectHierarchyPlugin.__init__(self, scriptedPlugin)
        self.recognizeAction = qt.QAction(_("Recognize orientation"), scriptedPlugin)
        self.recognizeAction.connect("triggered()", self.onRecognize)
        self.correctAction = qt.QAction(_("Correct orientation"), scriptedPlugin)
        self.correctAction.connect("triggered()", self.onCorrect)

    def canAddNodeToSubjectHierarchy(self, node: object, parentItemID: int) -> float:
        """How well it fits as the owner of a node: never."""
        return 0.0

    def canOwnSubjectHierarchyItem(self, itemID: int) -> float:
        """How well it fits as the owner of an item: never."""
        return 0.0

    def roleForPlugin(self) -> str:
        """What its items are: it has none."""
        return "N/A"

    def itemContextMenuActions(self) -> list[qt.QAction]:
        """Everything that it may offer for an item."""
        return [self.recognizeAction, self.correctAction]

    def showContextMenuActionsForItem(self, itemID: int) -> None:
        """Offer the actions where the item is a volume that can be looked at, or plays a cine of such volumes."""
        node = slicer.mrmlScene.GetSubjectHierarchyNode().GetItemDataNode(itemID) if itemID else None
        # Label maps, colour images and multi-volumes are classes of their own.
        is_volume = node is not None and node.GetClassName() == "vtkMRMLScalarVolumeNode"
        for action in self.itemContextMenuActions():
            action.visible = is_volume and why_not(node) is None

    def onRecognize(self) -> None:
        """Open the module with the volume and recognize it."""
        self._start(and_correct=False)

    def onCorrect(self) -> None:
        """Open the module with the volume, recognize it, and correct it where that decides."""
        self._start(and_correct=True)

    def _start(self, and_correct: bool) -> None:
        handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
        node = slicer.mrmlScene.GetSubjectHierarchyNode().GetItemDataNode(handler.currentItem())
        if node is None:
            logging.error("CMROrient: the item of the context menu is gone")
            return
        handler.pluginByName("Default").switchToModule("CMROrient")
        widget = slicer.modules.cmrorient.widgetRepresentation().self()
        # The menu closes first: the work lets events through.
        qt.QTimer.singleShot(0, lambda: widget.panel.run_for(node, and_correct))
