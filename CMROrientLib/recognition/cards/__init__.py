"""What a trained network says of itself: its card, its architecture and the files that it comes in."""
