import math
from functools import partial

import pytest
import torch

from models.features.songs.log_frequency import ROWS
from models.networks.song_blocks import MELODY, PROSODY, SPEECH
from models.networks.song_lyrics import LENGTH, N_CODES, SongLyrics
from models.networks.song_melody import REACH, RelativeMelody, around_the_middle
from models.networks.song_picture import SongAudio, SongScore
from models.networks.song_speech import N_SOUNDS, Spoken, beginnings


def test_pictures_become_unit_rows() -> None:
    torch.manual_seed(0)
    for build, rows, spoken, steps in (
        (SongScore, SongScore.rows, 0, 64),
        (SongAudio, ROWS, SPEECH, 128),
    ):
        network = build().eval()
        pictures = torch.randint(0, 256, (2, rows, build.columns), dtype=torch.uint8)
        found = network(pictures)
        assert found.shape == (2, MELODY + PROSODY + spoken)
        for part in found[:, : MELODY + PROSODY].split([MELODY, PROSODY], dim=1):
            torch.testing.assert_close(part.norm(dim=1), torch.ones(2))
        assert network.steps(pictures).shape[1] == steps


def test_pitches_around_the_middle_are_those_of_a_naive_loop() -> None:
    torch.manual_seed(0)
    shares = torch.rand(2, 5, 61).softmax(dim=-1)
    found = around_the_middle(shares)
    for item, moved in zip(shares.numpy(), found.numpy(), strict=True):
        weights = item.max(axis=0) ** 2
        middle = (weights * range(61)).sum() / weights.sum()
        for step, row in zip(item, moved, strict=True):
            for place, value in zip(range(-REACH, REACH + 1), row, strict=True):
                below = math.floor(middle + place)
                part = middle + place - below
                ends = [step[k] if 0 <= k < 61 else 0.0 for k in (below, below + 1)]
                assert value == pytest.approx((1.0 - part) * ends[0] + part * ends[1], abs=1e-5)


def test_a_melody_in_another_key_has_the_same_steps() -> None:
    torch.manual_seed(0)
    network = RelativeMelody().eval()
    steps = torch.randn(1, 16, 192)
    named = torch.full((1, 16, 62), -30.0)
    named[0, range(16), torch.randint(20, 40, (16,))] = 30.0
    low, high = named, torch.roll(named, 3, dims=2)
    for one in (low, high):
        one[..., 0] = -30.0
    found = []
    for one in (low, high):
        hook = network.pitches.register_forward_hook(partial(_instead, one))
        found.append(network(steps)[0].detach())
        hook.remove()
    torch.testing.assert_close(found[0], found[1])
    assert float(found[0].std()) > 0.0


def _instead(named: torch.Tensor, *_: object) -> torch.Tensor:
    return named


def test_sounds_are_counted_where_they_begin() -> None:
    named = torch.full((1, 16, N_SOUNDS), -40.0)
    spoken = [0, 5, 5, 5, 0, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 5]
    named[0, range(16), spoken] = 40.0
    counts = beginnings(named.softmax(dim=-1))[0].sum(dim=0)
    assert counts[5].item() == pytest.approx(3.0)
    assert counts[7].item() == pytest.approx(1.0)


def test_where_nothing_is_spoken_the_row_is_empty() -> None:
    torch.manual_seed(0)
    network = Spoken().eval()
    silent = torch.zeros(1, 256, N_SOUNDS)
    silent[..., 0] = 40.0
    spoken = torch.roll(silent, 3, dims=2).clone()
    spoken[0, ::8] = silent[0, ::8]  # 32 sounds, with a pause before each
    assert float(network(silent).detach().norm()) < 1e-3
    assert float(network(spoken).detach().norm()) == pytest.approx(1.0, abs=1e-3)


def test_words_speak_as_much_as_there_are() -> None:
    torch.manual_seed(0)
    network = SongLyrics().eval()
    codes = torch.zeros(3, LENGTH, dtype=torch.uint8)
    codes[1, :6] = torch.randint(1, N_CODES, (6,), dtype=torch.uint8)
    codes[2, :90] = torch.randint(1, N_CODES, (90,), dtype=torch.uint8)
    empty, few, many = network(codes)[:, PROSODY:].detach().norm(dim=1).tolist()
    assert empty == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < few < many <= 1.0


def test_how_long_a_sound_lasts_leaves_no_trace() -> None:
    torch.manual_seed(0)
    network = Spoken().eval()
    rows = []
    for spoken in ([1, 2, 2, 2, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1, 1, 2]):
        named = torch.full((1, 16, N_SOUNDS), -40.0)
        named[0, range(16), spoken + [2] * 8] = 40.0
        shares = torch.full((1, 16, 8), 0.125)
        rows.append(network(named, shares))
    torch.testing.assert_close(rows[0], rows[1])


def test_what_stands_behind_a_text_does_not_matter() -> None:
    torch.manual_seed(0)
    network = SongLyrics().eval()
    codes = torch.zeros(2, LENGTH, dtype=torch.uint8)
    codes[:, :20] = torch.randint(1, N_CODES, (20,), dtype=torch.uint8)
    steps = network.steps(codes)
    assert bool((steps[:, 10:] == 0).all())
    torch.testing.assert_close(network(codes)[0], network(codes)[1])


def test_an_empty_text_has_a_finite_row() -> None:
    row = SongLyrics().eval()(torch.zeros(1, LENGTH, dtype=torch.uint8))
    assert bool(torch.isfinite(row).all())


def test_the_length_of_a_text_is_seen() -> None:
    torch.manual_seed(0)
    network = SongLyrics().eval()
    codes = torch.zeros(2, LENGTH, dtype=torch.uint8)
    codes[0, :20], codes[1, :40] = 5, 5
    first, second = network(codes).detach()
    assert float((first - second).abs().max()) > 1e-3
