"""Where the anatomy comes to lie: transforms that collect a window, and the one that resamples through it."""
