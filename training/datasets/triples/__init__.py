"""Aligned triples of sheet image, lyrics and audio, made from scores with words."""
