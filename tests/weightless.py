"""Extractors that load no network, for tests that open them in many processes."""

from models.types import Modality

WEIGHTLESS = {
    Modality.AUDIO: "log-mel-statistics",
    Modality.IMAGE: "gradient-colour",
    Modality.VIDEO: "frame-motion",
    Modality.LYRICS: "character-ngrams",
    Modality.SCORE: "staff-image",
}
