"""Data sets: what there is to train and test on, and where it came from."""
