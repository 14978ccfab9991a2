"""Arrays and tensors: media to arrays, arrays to features, features to a shared space."""
