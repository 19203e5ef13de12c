"""Where images of a run are worked on: here, in worker processes, or on a Dask cluster."""
