"""A small study of synthetic hearts, corrected and shown."""
