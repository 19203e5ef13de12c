"""Training: data sets, augmentation, train, transfer, export. Needs the extra ``train``.

Nothing below this package imports it.
"""
