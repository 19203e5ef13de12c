"""NRRD, attached and detached."""
