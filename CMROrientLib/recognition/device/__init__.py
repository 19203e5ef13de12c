"""Slices as PyTorch prepares them on the device that runs the network. Importing a module of it imports torch."""
