"""Settings of the training of the song networks."""

from dataclasses import dataclass
from pathlib import Path

from training.loops.gradient_config import GradientConfig, expect


@dataclass(frozen=True, slots=True)
class SongNetworksConfig:
    """How the three networks are trained, together.

    Attributes:
        epochs: Passes over the training triples.
        batch_size: Triples per step; each is a negative of all others.
        learning_rate: Of AdamW at the start; it falls along a cosine.
        weight_decay: As there.
        temperature: Cosines of melodies are divided by it.
        words_temperature: The same for prosody and speech.
        words_weight: Of pairs of prosody with lyrics.
        speech_weight: Of pairs of what is sung and what is written.
        notes_weight: Of naming the notes that sound, and those that stand on the staff.
        sounds_weight: Of naming the speech sounds that are sung, and that letters stand for.
        syllables_weight: Of telling where syllables begin, and from the words when.
        shares: How often each rendition is heard, by name; those that are not there are left out.
        transposition: Sound is shifted by up to so many semitones.
        augment: Disturb sound and picture.
        mixed_precision: bfloat16 inside the networks.
        threads: Of torch.
        device: ``cpu`` or ``cuda``.
    """

    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 1.2e-3
    weight_decay: float = 1e-2
    temperature: float = 0.07
    words_temperature: float = 0.1
    words_weight: float = 3.0
    speech_weight: float = 1.0
    notes_weight: float = 1.0
    sounds_weight: float = 1.0
    syllables_weight: float = 1.0
    shares: tuple[float, float, float] = (0.4, 0.25, 0.35)
    transposition: int = 3
    augment: bool = True
    mixed_precision: bool = True
    threads: int = 2
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with.

        Raises:
            DataError: Naming the field.
        """
        expect(self, ("epochs", "threads"), "at least 1", lambda x: x >= 1)
        expect(self, ("batch_size",), "at least 2", lambda x: x >= 2)
        expect(self, ("temperature", "words_temperature"), "above 0", lambda x: x > 0)
        kinds = ("words", "speech", "notes", "sounds", "syllables")
        weights = tuple(f"{kind}_weight" for kind in kinds)
        expect(self, (*weights, "transposition"), "at least 0", lambda x: x >= 0)
        expect(self, ("shares",), "three shares >= 0", lambda x: len(x) == 3 and min(x) >= 0)

    @property
    def loop(self) -> GradientConfig:
        """What the fit loop needs to know."""
        return GradientConfig(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            smoothing=1,
            patience=self.epochs,
        )


SHIPPED_CONFIG = Path(__file__).parents[1] / "configs" / "song_networks" / "lieder.toml"
"""The TOML file with the settings of the weights that ship."""
