"""Pieces of the CMROrient panel: pictures, the table of slices, sentences, packages, progress."""
