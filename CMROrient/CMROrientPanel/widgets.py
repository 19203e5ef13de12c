"""The widgets of Resources/UI/CMROrient.ui that the code asks for by name, with their classes."""

from __future__ import annotations

from typing import Protocol

import ctk
import qt
import slicer


class Widgets(Protocol):
    """What ``slicer.util.childWidgetVariables`` makes of the .ui file."""

    inputSelector: slicer.qMRMLNodeComboBox
    modelComboBox: qt.QComboBox
    modelFileLabel: qt.QLabel
    modelPathEdit: ctk.ctkPathLineEdit
    deviceComboBox: qt.QComboBox
    deviceLabel: qt.QLabel
    packagesLabel: qt.QLabel
    packagesButton: qt.QPushButton
    recognizeButton: qt.QPushButton
    progressFrame: qt.QFrame
    progressBar: qt.QProgressBar
    cancelButton: qt.QPushButton
    statusLabel: qt.QLabel
    conflictLabel: qt.QLabel
    verdictLabel: qt.QLabel
    factsLabel: qt.QLabel
    votesLabel: qt.QLabel
    sliceTable: qt.QTableWidget
    classComboBox: qt.QComboBox
    beforePicture: qt.QLabel
    afterPicture: qt.QLabel
    geometryComboBox: qt.QComboBox
    geometryExplanation: qt.QLabel
    segmentationsSelector: slicer.qMRMLCheckableNodeComboBox
    outputSelector: slicer.qMRMLNodeComboBox
    correctButton: qt.QPushButton
    saveDicomButton: qt.QPushButton
    applyAllButton: qt.QPushButton
    resultLabel: qt.QLabel
