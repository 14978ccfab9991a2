"""Short videos with sound that the project makes itself, both from one set of numbers."""
