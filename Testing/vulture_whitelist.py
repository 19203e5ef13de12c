"""What vulture takes for unused although somebody uses it, and who. Read by vulture, never run.

A name goes as soon as its last use goes: code that only tests use is dead, too.
"""

# ruff: noqa: B018, F821

# Python calls them: attributes and names of the package that are looked up when first used.
__getattr__
__dir__
__call__

# Python shows it for a call's help; people and tests ask for the schema and the audit as calls.
_.__signature__
schema
audit

# Notebooks look for it.
_._repr_html_

# The signature is the caller's: VTK's observers, Qt's signals, context managers.
_.caller
_.event
_.checked
_.trace

# Parameters of protocols: what Slicer's nodes take.
_.heard
_.node_id
_.on
_.quantity

# Slicer finds them by the module's name and calls them.
CMROrient
CMROrientTest
CMROrientWidget
_.cleanup
_.enter
_.runTest

# Called in Slicer's Python console and by scripts.
_.saveAsDicom
_.recognize_together

# Slicer's subject hierarchy finds the class by its file's name and asks it.
CMROrientSubjectHierarchyPlugin
_.filePath
_.canAddNodeToSubjectHierarchy
_.canOwnSubjectHierarchyItem
_.parentItemID
_.roleForPlugin
_.showContextMenuActionsForItem
_.visible

# Kept so that it lives as long as its button; tests call it.
_.apply_all

# Tests that run inside Slicer call it.
need_packages_of_files

# For scripts that were written for version 1.0.
_.lookAtAll

# Slicer reads them of a module.
_.acknowledgementText
_.categories
_.contributors
_.dependencies
_.helpText

# Slicer's parameter node gives and takes these choices by the names in the .ui.
_.CPU
_.FOLLOW
_.KEEP

# Properties of Qt's widgets.
_.currentIndex
_.enabled
_.toolTip

# Options of ONNX Runtime's session.
_.inter_op_num_threads
_.intra_op_num_threads
_.log_severity_level

# For callers of the library: attributes of its public classes.
_.changes_handedness
_.not_short_axis

# Fields that are written and read by their names: the record's columns, cards, metrics, checkpoints.
_.license
_.method
_.optimization
_.slice_votes

# The report's templates read them; a test of the report says that they do. Jinja2 calls the last.
_.by_person
_.certain
_.details
_.as_found
_.decidable
_.has_corrected
_.next_command
_.has_output
_.header_words
_.path_parts
_.sort_confidence
_.sort_header
_.sort_pixels
_.strong
_.tone
_.track
_.preprocess

# pydantic calls it when a recipe has been read.
_._fits_together

# Elements of a DICOM data set, which pydicom writes; the last says how one of them is encoded.
_.AcquisitionMatrix
_.CodeMeaning
_.CodeValue
_.CodingSchemeDesignator
_.Columns
_.ContributingEquipmentSequence
_.DerivationCodeSequence
_.DerivationImageSequence
_.FrameType
_.HighBit
_.ImageOrientationPatient
_.ImagePositionPatient
_.ImageType
_.InPlanePhaseEncodingDirection
_.LossyImageCompression
_.Manufacturer
_.ManufacturerModelName
_.MediaStorageSOPClassUID
_.InstanceNumber
_.MediaStorageSOPInstanceUID
_.PurposeOfReferenceCodeSequence
_.ReferencedSOPClassUID
_.PerFrameFunctionalGroupsSequence
_.ReferencedSOPInstanceUID
_.ReferencedSOPSequence
_.ReferencedSeriesSequence
_.Rows
_.SamplesPerPixel
_.SeriesDescription
_.SeriesInstanceUID
_.SeriesNumber
_.SoftwareVersions
_.SourceImageEvidenceSequence
_.SourceImageSequence
_.StudyInstanceUID
_.is_undefined_length

# A template reads it.
_.link

# MONAI and torchio ask for them.
_.backend
_.args_names
_.apply_transform

# Python's own words for fields[name] (io/nifti/header.py).
_.__getitem__
_.__setitem__
# ONNX Runtime's calibration asks for it.
_.get_next

# concurrent.futures asks for them (run/workers/processes.py).
_.terminate
_.Process
