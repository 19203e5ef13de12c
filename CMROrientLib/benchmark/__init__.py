"""How fast this machine starts, recognizes and corrects; what of that the stages take; what other networks would."""
