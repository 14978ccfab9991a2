"""Extractors around networks whose weights were published."""
