"""Vector search behind one protocol: NumPy (the oracle) and FAISS on CPU or GPU."""
