"""Bytes to arrays, with limits; the type comes from the content, never from the name."""
