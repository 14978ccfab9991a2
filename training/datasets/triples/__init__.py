"""Aligned triples of sheet image, lyrics and sound, cut from real songs."""
