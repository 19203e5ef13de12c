"""Pictures of a run's images: small ones for the page, large ones to decide by."""
