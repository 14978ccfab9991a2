"""Extractors of the music space: sheet music, lyrics and melodies by networks trained on songs."""
