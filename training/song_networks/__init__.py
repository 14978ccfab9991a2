"""Training of the networks behind the extractors `song-score`, `song-audio` and `song-lyrics`."""
