"""A run over files and folders: options, plan, work, and the record of it."""
