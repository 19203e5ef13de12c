"""Studies behind ``RESULTS.md`` and the bundled models' cards. Nothing of the product imports this."""
