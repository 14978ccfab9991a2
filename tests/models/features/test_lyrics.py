import math
import subprocess
import sys
import zlib
from collections import Counter

import numpy as np
import pytest

from models.features.lyrics import CharacterNgrams, hashed_ngrams
from models.types import Lyrics, Modality

N_BUCKETS = 960
EXTRACTOR = CharacterNgrams()
TEXTS = (
    "Meine Seele erhebt den Herren;\nund mein Geist",
    "さくら\nさくら",
    "愛している",
    "사랑해",
    "שלום עולם",
    "Я вас любил",
    "सुंदर गीत",
    "!!! ... 123",
    "   \n \n",
    "a",
    "la " * 3000,
    "\U0001f3b5",
)


def loop(text: str) -> np.ndarray:
    """The definition, written out."""
    padded = " " + " ".join(text.casefold().split()) + " "
    grams = [padded[i : i + n] for n in (1, 2, 3, 4) for i in range(len(padded) - n + 1)]
    row = np.zeros(N_BUCKETS)
    for gram, count in Counter(gram for gram in grams if gram != " ").items():
        code = zlib.crc32(gram.encode("utf-8"))
        sign = 1.0 if code % 2 else -1.0
        row[(code // 2) % N_BUCKETS] += sign * (1.0 + math.log(count))
    return row / np.linalg.norm(row)


def counts(text: str) -> np.ndarray:
    return EXTRACTOR.pooled(Lyrics(text))[N_BUCKETS:] / 8.0


def test_the_spec_states_what_comes_out() -> None:
    spec = EXTRACTOR.spec
    assert (spec.name, spec.modality) == ("character-ngrams", Modality.LYRICS)
    assert spec.dimension == spec.sequence_dimension == 1008
    assert spec.fingerprint == CharacterNgrams().spec.fingerprint


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_gives_finite_rows_of_the_stated_shape(text: str) -> None:
    pooled, sequence = EXTRACTOR.pooled(Lyrics(text)), EXTRACTOR.sequence(Lyrics(text))
    lines = sum(bool(line.strip()) for line in text.split("\n"))
    assert pooled.shape == (1008,)
    assert sequence.shape == (max(lines, 1), 1008)
    for rows in (pooled, sequence):
        assert rows.dtype == np.float32
        assert np.isfinite(rows).all()


@pytest.mark.parametrize("text", ["la la la", "Größe, Öl", "one two\nthree"])
def test_ngrams_equal_the_definition_written_out(text: str) -> None:
    np.testing.assert_allclose(hashed_ngrams(text), loop(text), atol=1e-6)


def test_golden_values_pin_the_hash() -> None:
    row = hashed_ngrams("la")
    buckets = np.flatnonzero(row)
    # l, a, " l", "la", "a ", " la", "la ", " la " by zlib.crc32
    assert len(buckets) == 8
    np.testing.assert_allclose(np.abs(row[buckets]), 1.0 / math.sqrt(8.0), rtol=1e-6)
    assert buckets.tolist() == [124, 292, 331, 333, 552, 663, 673, 767]
    assert (row[buckets] > 0).tolist() == [0, 0, 1, 0, 1, 0, 1, 0]


def test_another_process_gives_the_same_bits() -> None:
    code = (
        "import sys; from models.features.lyrics import CharacterNgrams as C;"
        "from models.types import Lyrics;"
        "sys.stdout.write(C().pooled(Lyrics('Ein feste Burg')).tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONHASHSEED": "123", "PYTHONPATH": "."},
    )
    assert bytes.fromhex(done.stdout) == EXTRACTOR.pooled(Lyrics("Ein feste Burg")).tobytes()


def test_a_line_is_described_the_same_alone_and_in_a_text() -> None:
    alone = EXTRACTOR.pooled(Lyrics("the second line"))
    np.testing.assert_array_equal(EXTRACTOR.sequence(Lyrics("first\nthe second line"))[1], alone)


def test_case_white_space_and_compatibility_forms_do_not_matter() -> None:
    np.testing.assert_array_equal(hashed_ngrams("Die  Nacht\n ist"), hashed_ngrams("die nacht ist"))
    np.testing.assert_array_equal(hashed_ngrams("ｓｏｎｇ"), hashed_ngrams("song"))  # noqa: RUF001 - the full-width form is the test


def test_texts_in_one_language_are_nearer_than_in_two() -> None:
    german = hashed_ngrams("der Herr ist mein getreuer Hirt")
    also = hashed_ngrams("ich ruf zu dir Herr Jesu Christ, der mein Gebet erhört")
    italian = hashed_ngrams("che farò senza la mia donna leggiadra")
    assert german @ also > german @ italian + 0.05


def test_an_empty_text_has_no_ngrams() -> None:
    assert not hashed_ngrams(" \n ").any()


def test_the_counts_are_those_of_the_text() -> None:
    row = counts("Good morning to you,\nmy friend")  # 1 2 1 1 and 1 1 syllables
    np.testing.assert_allclose(row[:5] * [2, 2, 2, 2, 1], np.log1p([25, 24, 6, 7, 2]), rtol=1e-6)
    lengths, syllables, lines = row[5:7], row[7:9], row[9:11]
    np.testing.assert_allclose(lengths * 5, [25 / 6, float(np.std([4, 7, 2, 4, 2, 6]))], rtol=1e-6)
    np.testing.assert_allclose(syllables * 2, [7 / 6, float(np.std([1, 2, 1, 1, 1, 1]))], rtol=1e-6)
    np.testing.assert_allclose(lines * 8, [3.5, 1.5], rtol=1e-6)
    np.testing.assert_allclose(row[11:14], [5 / 6, 1 / 6, 0.0], rtol=1e-6)
    np.testing.assert_allclose(row[-4:] * 8, [5, 2, 0, 0], rtol=1e-6)


def test_vowels_are_counted_in_each_half() -> None:
    row = counts("la la li lo")
    np.testing.assert_allclose(row[22:32], [1, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0])


def test_more_syllables_give_a_later_soft_class() -> None:
    peaks = [int(counts("la " * size)[32:44].argmax()) for size in (4, 8, 16, 32, 48)]
    assert peaks == sorted(set(peaks))
    assert peaks[0] == 0
    assert peaks[-1] == 11
