"""MetaImage, ``.mha`` and ``.mhd``."""
