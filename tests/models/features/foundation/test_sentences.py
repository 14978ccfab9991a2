"""Sentence encoders against sentence-transformers and a loop over tokens."""

import numpy as np
import pytest
import torch

from models.features.foundation.checkpoints import find_checkpoint
from models.features.foundation.sentences import Minilm, MultilingualSentence
from models.features.foundation.token_windows import MAX_LINES, PADDING
from models.types import Lyrics
from tests.contracts.foundation_checkpoints import SENTENCE_TOKENS

TEXT = "the moon is up\nand so am i\n\nthe moon the moon is up so up and i am the moon"


@pytest.fixture(scope="module")
def states(checkpoints):
    """Hidden states of one window of token numbers, shape (T, D)."""
    from transformers import BertModel

    model = BertModel.from_pretrained(checkpoints / "multilingual-sentence").eval()

    def run(tokens):
        with torch.inference_mode():
            return model(torch.tensor([tokens])).last_hidden_state[0].numpy()

    return run


def unit(row):
    return row / np.linalg.norm(row)


def windows_of(pieces):
    return [[token for token in piece if token != PADDING] for piece in pieces.tolist()]


@pytest.mark.slow
def test_minilm_is_what_sentence_transformers_makes_of_a_text():
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(find_checkpoint("minilm").folder), device="cpu")
    texts = ["The moon is up", "and so am I", "Der Mond ist aufgegangen", "a", "x" * 300]
    expected = model.encode(texts, normalize_embeddings=True)
    found = [Minilm().pooled(Lyrics(text)) for text in texts]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found[0] @ found[1] != pytest.approx(1.0)


def test_minilm_finds_the_paraphrase():
    rows = [
        Minilm().pooled(Lyrics(text))
        for text in ("the sun rises over the sea", "dawn above the ocean", "he paid his taxes")
    ]
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


def test_a_text_is_the_mean_over_the_tokens_of_all_its_windows(checkpoints, states):
    subject = MultilingualSentence()
    pieces = subject.prepare(Lyrics(TEXT))
    windows = windows_of(pieces)
    assert [len(window) for window in windows] == [9, 9, 9]  # 21 tokens, and 2 marks each
    assert max(map(len, windows)) <= SENTENCE_TOKENS
    everything = np.concatenate([states(window) for window in windows])
    expected = unit(everything.mean(axis=0))
    np.testing.assert_allclose(subject.pooled(Lyrics(TEXT)), expected, atol=1e-5)


def test_a_step_is_a_line(checkpoints, states):
    subject = MultilingualSentence()
    windows = windows_of(subject.prepare(Lyrics(TEXT), sequence=True))
    assert [len(window) for window in windows] == [6, 6, SENTENCE_TOKENS]
    expected = [unit(states(window).mean(axis=0)) for window in windows]
    np.testing.assert_allclose(subject.sequence(Lyrics(TEXT)), expected, atol=1e-5)


def test_no_word_of_a_long_text_is_lost(checkpoints):
    subject = MultilingualSentence()
    windows = windows_of(subject.prepare(Lyrics("moon the " * 500)))
    inner = [token for window in windows for token in window[1:-1]]
    assert inner == [4, 5] * 500


def test_neighbouring_lines_of_a_very_long_text_are_joined(checkpoints):
    text = "\n".join(["moon"] * (2 * MAX_LINES))
    windows = windows_of(MultilingualSentence().prepare(Lyrics(text), sequence=True))
    assert windows == [[2, 4, 4, 3]] * MAX_LINES
