"""Data sets, augmentation, training, transfer, evaluation. Nothing outside this package imports it."""
