"""From voxels to a decision: preprocessing, networks, inference and how sure the answer is."""
