import numpy as np
import pytest
import torch

from models.features.songs.log_frequency import PITCHES, ROWS, SPEECH
from models.networks.song_speech import STEPS
from training.song_networks import augment
from training.song_networks.source import COLUMNS, _in_columns, _moved, _seen
from training.song_networks.triples import MOMENTS, pitch_class


def line_picture(band: int) -> torch.Tensor:
    picture = torch.zeros(1, 160, 256)
    picture[0, band] = 1.0
    return picture


@pytest.mark.parametrize("bands", [-6.0, 0.0, 4.0])
def test_sound_moves_upwards_by_so_many_bands(bands: float) -> None:
    moved = augment._placed(line_picture(80), torch.zeros(1), torch.ones(1), torch.tensor([bands]))
    assert int(moved[0, :, 128].argmax()) == 80 + bands


def test_a_cut_sound_is_stretched_over_the_window() -> None:
    picture = torch.zeros(1, 160, 256)
    picture[0, :, 128:] = 1.0  # begins in the middle
    cut = augment._placed(picture, torch.tensor([0.25]), torch.tensor([1.0]), torch.zeros(1))
    first = int((cut[0, 80] > 0.5).float().argmax())
    assert first == pytest.approx(256 * (0.5 - 0.25) / 0.75, abs=2)


def test_noise_is_as_loud_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "_LEAST_SNR_DB", 10.0)
    monkeypatch.setattr(augment, "_MOST_SNR_DB", 10.0)
    torch.manual_seed(0)
    clean = line_picture(80)
    noisy = augment._with_noise(clean)
    power = 10.0 ** ((noisy - 1.0) * 6.0)
    signal = power[0, 80].sum()
    ratio = 10.0 * np.log10(float(signal / (power.sum() - signal)))
    assert ratio == pytest.approx(10.0, abs=1.0)


def test_disturbed_pictures_keep_their_shape_and_range() -> None:
    torch.manual_seed(0)
    heard = augment.disturbed_sound(
        torch.randint(0, 256, (3, ROWS, 256), dtype=torch.uint8), transposition=3
    )
    seen = augment.disturbed_staff(torch.randint(0, 256, (3, 64, 512), dtype=torch.uint8))
    for pictures, shape in ((heard.pictures, (3, ROWS, 256)), (seen.pictures, (3, 64, 512))):
        assert pictures.shape == shape
        assert float(pictures.min()) >= 0.0
        assert float(pictures.max()) <= 255.0
    assert int(heard.shift.abs().max()) <= 3


def test_both_pictures_of_a_sound_are_moved_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "_MOST_CUT", 0.0)
    monkeypatch.setattr(augment, "_LEAST_SNR_DB", 49.0)
    torch.manual_seed(0)
    pictures = torch.zeros(16, ROWS, 256)
    pictures[:, 80] = 255.0  # pitches: 40 semitones above the lowest
    pictures[:, 160 + 2 * 30 : 160 + 2 * 31] = 255.0  # speech: band 30, two rows each
    heard = augment.disturbed_sound(pictures, transposition=3)
    speech = heard.pictures[:, PITCHES.bands :].reshape(-1, SPEECH.bands, SPEECH.frames)
    assert heard.pictures[:, :160, 128].argmax(dim=1).tolist() == (80 + 2 * heard.shift).tolist()
    assert speech[:, :, 256].argmax(dim=1).tolist() == (30 + heard.shift).tolist()
    assert len(set(heard.shift.tolist())) > 4


def test_targets_follow_cut_and_transposition() -> None:
    melody = torch.zeros(1, MOMENTS, dtype=torch.long)
    melody[0, MOMENTS // 2 :] = pitch_class(60)
    seen = _seen(melody, torch.tensor([0.25]), torch.tensor([1.0]), STEPS)
    moved = _moved(seen, torch.tensor([2]))
    expected = [
        pitch_class(62) if 0.25 + (step + 0.5) / STEPS * 0.75 >= 0.5 else 0 for step in range(STEPS)
    ]
    assert moved[0].tolist() == expected


def test_outside_the_window_there_is_no_note() -> None:
    melody = torch.full((1, MOMENTS), pitch_class(60), dtype=torch.long)
    seen = _seen(melody, torch.tensor([-0.5]), torch.tensor([1.0]), STEPS)
    assert seen[0, : STEPS // 3 - 1].max() == 0
    assert seen[0, STEPS // 3 + 1 :].min() == pitch_class(60)


def test_noteheads_stand_in_the_columns_that_show_them() -> None:
    heads = torch.tensor([[[0.5, 7.0], [0.99, 9.0], [0.0, 0.0]]])
    plain = _in_columns(heads, torch.zeros(1), torch.ones(1), COLUMNS)
    assert {k: int(v) for k, v in enumerate(plain[0]) if v} == {COLUMNS // 2: 7, COLUMNS - 1: 9}
    moved = _in_columns(heads, torch.tensor([0.25]), torch.tensor([0.75]), COLUMNS)
    assert {k: int(v) for k, v in enumerate(moved[0]) if v} == {COLUMNS // 2: 7}


def test_a_disturbed_strip_says_what_it_shows() -> None:
    torch.manual_seed(1)
    strips = torch.zeros(4, 64, 512)
    strips[:, :, 300:304] = 255.0
    seen = augment.disturbed_staff(strips)
    for picture, start, end in zip(seen.pictures, seen.start, seen.end, strict=True):
        expected = (302 / 512 - float(start)) / float(end - start) * 512
        assert float(picture[32].argmax()) == pytest.approx(expected, abs=4)


def test_characters_are_left_out_and_none_is_changed() -> None:
    torch.manual_seed(0)
    codes = torch.randint(1, 160, (50, 192), dtype=torch.uint8)
    words = augment.disturbed_words(codes)
    assert words.dtype == torch.uint8
    assert bool(((words == codes) | (words == 0)).all())
    assert 0.05 < float((words == 0).float().mean()) < 0.15
