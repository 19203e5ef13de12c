"""Augmentation: single transforms of a batch of slices, which compose; labels follow the anatomy."""
