"""The header audit: what the files' geometry claims, held against what their pixels show."""
