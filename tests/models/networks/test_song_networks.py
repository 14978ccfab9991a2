import torch

from models.networks.song_blocks import MELODY, WORDS
from models.networks.song_lyrics import LENGTH, N_CODES, SongLyrics
from models.networks.song_picture import SongAudio, SongScore


def test_pictures_become_two_unit_rows() -> None:
    torch.manual_seed(0)
    for build, steps in ((SongScore, 64), (SongAudio, 128)):
        network = build().eval()
        pictures = torch.randint(0, 256, (2, build.rows, build.columns), dtype=torch.uint8)
        rows = network(pictures)
        assert rows.shape == (2, MELODY + WORDS)
        torch.testing.assert_close(rows[:, :MELODY].norm(dim=1), torch.ones(2))
        torch.testing.assert_close(rows[:, MELODY:].norm(dim=1), torch.ones(2))
        assert network.steps(pictures).shape[1] == steps


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
