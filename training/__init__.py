"""Data sets, objectives and evaluation; knows no HTTP and no index."""
