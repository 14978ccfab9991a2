"""Sung music with its words: score, lyrics and synthesised sound of real songs."""
