"""NIfTI-1 and NIfTI-2, plain and gzipped."""
