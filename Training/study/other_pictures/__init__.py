"""Pictures that are no short-axis slices, of kinds that training has never shown, and what networks make of them."""
