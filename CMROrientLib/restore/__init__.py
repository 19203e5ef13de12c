"""The way back: segmentations of corrected images onto the grids of the originals."""
