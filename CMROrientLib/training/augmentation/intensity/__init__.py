"""What the same anatomy may look like: contrast, noise, sharpness, and what scanners and exports do to values."""
