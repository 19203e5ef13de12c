"""Augmentation: single transforms of a batch of slices, which compose.

A transform takes a batch and gives back a new one, with what it did as a value in it, so that labels
and masks follow the anatomy. ``pipeline`` puts the transforms of a recipe together.
"""
