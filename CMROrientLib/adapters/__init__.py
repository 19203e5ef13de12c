"""Images of other libraries: how each becomes a volume, and how a corrected volume becomes an image of its type again.

A file for each library. None of them imports its library before an image of it is there.
"""
