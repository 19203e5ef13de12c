"""What belongs together: label maps and their image, and images that get one decision."""
