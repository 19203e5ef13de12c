"""The command line, ``cmrorient``: one file a command, each with ``add_arguments`` and ``run``."""
