"""3D Slicer's nodes and volumes: reading them, writing them, and what one session of the module keeps."""
