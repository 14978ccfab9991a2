from fractions import Fraction

import numpy as np
import pytest

from training.datasets.songs.song import Notehead
from training.datasets.songs.synthesis import (
    PEAK,
    SAMPLE_RATE_HZ,
    TIMBRES,
    Performance,
    draw_performance,
    play,
    vowel_of,
)


def note(onset: float, duration: float, pitch: int, syllable: str = "la") -> Notehead:
    return Notehead(Fraction(onset), Fraction(duration), pitch, syllable)


def sound(notes: list[Notehead], timbre: str = "flute", *, start: int = 0, seed: int = 0):
    performance = Performance(timbre, quarter_seconds=0.5)
    return play(notes, performance, start=Fraction(start), rng=np.random.default_rng(seed))


def spectrum(samples):
    """Magnitudes and frequencies in Hz of the middle of a sound."""
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    return (
        np.abs(np.fft.rfft(middle * np.hanning(len(middle)))),
        np.fft.rfftfreq(len(middle), 1.0 / SAMPLE_RATE_HZ),
    )


@pytest.mark.parametrize("timbre", ["flute", "reed", "harp"])
@pytest.mark.parametrize(("pitch", "frequency_hz"), [(57, 220.0), (69, 440.0), (81, 880.0)])
def test_the_strongest_partial_is_the_written_pitch(
    timbre: str, pitch: int, frequency_hz: float
) -> None:
    magnitudes, frequencies = spectrum(sound([note(0, 4, pitch)], timbre))
    assert frequencies[magnitudes.argmax()] == pytest.approx(frequency_hz, rel=0.01)


def test_a_sung_note_has_only_partials_of_its_pitch() -> None:
    magnitudes, frequencies = spectrum(sound([note(0, 4, 69, "a")], "voice"))
    ratio = frequencies[magnitudes > 0.05 * magnitudes.max()] / 440.0
    assert np.abs(ratio - ratio.round()).max() < 0.06


def test_partials_of_a_vowel_follow_its_formants() -> None:
    def share_above_2_khz(syllable: str) -> float:
        magnitudes, frequencies = spectrum(sound([note(0, 4, 57, syllable)], "voice"))
        power = magnitudes**2
        return power[frequencies > 2000].sum() / power.sum()

    assert share_above_2_khz("i") > 3 * share_above_2_khz("o")


def test_a_melisma_keeps_the_vowel() -> None:
    held = sound([note(0, 1, 57, "i"), note(1, 4, 57, "")], "voice")
    named = sound([note(0, 1, 57, "i"), note(1, 4, 57, "i")], "voice")
    np.testing.assert_array_equal(held, named)


def test_a_consonant_is_heard_before_the_vowel() -> None:
    plain, hissed = (sound([note(0, 2, 57, word)], "voice") for word in ("a", "sa"))
    struck = sound([note(0, 2, 57, "ta")], "voice")
    start = slice(0, SAMPLE_RATE_HZ // 20)
    rough = [np.abs(np.diff(samples[start], n=2)).sum() for samples in (plain, hissed, struck)]
    assert rough[1] > 2 * rough[0]
    assert rough[2] > 2 * rough[0]


def test_onsets_and_length_follow_the_tempo() -> None:
    samples = sound([note(4, 1, 69), note(6, 1, 69)], start=4)
    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(3 * 0.5 + 0.25, abs=0.01)
    frames = np.abs(samples[: len(samples) // 800 * 800]).reshape(-1, 800).max(axis=1)  # 50 ms
    assert frames[1:9].min() > 0.1
    assert frames[11:19].max() < 0.05
    assert frames[21:29].min() > 0.1


def test_a_rest_at_the_start_is_silence() -> None:
    samples = sound([note(2, 1, 69)])
    assert np.abs(samples[: SAMPLE_RATE_HZ - 1]).max() == 0.0


@pytest.mark.parametrize("timbre", TIMBRES)
@pytest.mark.parametrize("pitch", [36, 60, 96, 119])
def test_every_timbre_is_finite_and_at_its_peak(timbre: str, pitch: int) -> None:
    samples = sound([note(0, 1, pitch)], timbre)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() == pytest.approx(PEAK, rel=1e-5)


def test_sound_depends_on_the_seed_alone() -> None:
    notes = [note(0, 1, 60, "sa")]
    np.testing.assert_array_equal(sound(notes, "voice"), sound(notes, "voice"))
    assert (sound(notes, "voice") != sound(notes, "voice", seed=1)).any()


def test_performances_vary_within_their_ranges() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_performance(rng) for _ in range(200)]
    assert {one.timbre for one in drawn} == set(TIMBRES)
    assert all(60 / 132 <= one.quarter_seconds <= 60 / 84 for one in drawn)
    assert all(abs(np.log2(one.detuning)) <= 15 / 1200 for one in drawn)


@pytest.mark.parametrize(
    ("syllable", "vowel"),
    [("Seel", "e"), ("GOTT", "o"), ("Städt", "a"), ("my", "i"), ("pwl", "u"), ("t'", None)],
)
def test_the_vowel_is_the_first_one(syllable: str, vowel: str | None) -> None:
    assert vowel_of(syllable) == vowel
