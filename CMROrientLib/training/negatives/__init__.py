"""Pictures that are not short-axis slices: families of them, drawn, cut from stacks, and found in packages."""
