"""How well encoders of lyrics find the other half of the same song's words.

    python benchmarks/lyrics_encoders.py openscore_lieder.tar.xz
        [--encoders character-ngrams,minilm] [--songs 500]

The English texts of the OpenScore Lieder corpus (../shared/data; CC0): those whose words are at
least 12 % the commonest English words, of 60 words or more, one of each poem (texts whose
character n-grams have a cosine above 0.7 are one poem), at most ``--songs``. The first half of the
words is the query, the second halves of all songs are the collection; then the other way round.

``as sung``: halves as they are; a refrain stands in both. ``without repeats``: words of a half that
stand in a run of three words which the other half has too are taken out of the collection's side.
Ranking is by cosine. ``character-ngrams`` is tried with all its numbers, each divided by its
standard deviation over the collection, and with the n-grams alone. Nothing is trained.

Prints one JSON object per line:
``{"encoder": ..., "halves": ..., "songs": N, "mrr": ..., "recall@1": ..., "recall@10": ...,
"chance_mrr": ..., "milliseconds_per_text": median}``. No word of a text is printed.
"""

import argparse
import json
import re
import statistics
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from models.features.lyrics import hashed_ngrams
from models.features.registry import extractor
from models.types import Float32Array, Lyrics

ENGLISH = {
    *("the", "and", "of", "to", "my", "in", "that", "with"),
    *("is", "thou", "i", "you", "a", "for", "on", "thy"),
}
ENGLISH_SHARE, LEAST_WORDS, SAME_POEM, RUN = 0.12, 60, 0.7, 3
Pair = tuple[list[str], list[str]]


def english_texts(pack: Path, most: int) -> list[list[str]]:
    """Words of each poem."""
    found: list[list[str]] = []
    rows: list[Float32Array] = []
    with tarfile.open(pack) as archive:
        members = [m for m in archive.getmembers() if re.fullmatch(r".*lyrics/lc\d+\.txt", m.name)]
        for member in sorted(members, key=lambda one: one.name):
            file = archive.extractfile(member)
            words = file.read().decode().split() if file else []
            plain = [re.sub(r"\W", "", word).lower() for word in words]
            share = sum(word in ENGLISH for word in plain) / max(1, len(plain))
            row = hashed_ngrams(" ".join(plain))
            is_new = all(float(row @ other) < SAME_POEM for other in rows)
            if share >= ENGLISH_SHARE and len(words) >= LEAST_WORDS and is_new:
                found.append(words)
                rows.append(row)
    return found[:most]


def halves(words: list[str]) -> Pair:
    """First and second half of the words."""
    middle = len(words) // 2
    return words[:middle], words[middle:]


def without_repeats(words: list[str], other: list[str]) -> list[str]:
    """The words that stand in no run which the other half has too."""
    runs = {tuple(other[k : k + RUN]) for k in range(len(other) - RUN + 1)}
    repeated = {
        k + j
        for k in range(len(words) - RUN + 1)
        if tuple(words[k : k + RUN]) in runs
        for j in range(RUN)
    }
    return [word for k, word in enumerate(words) if k not in repeated]


def rows_of(name: str) -> Callable[[list[str]], Float32Array]:
    """The map from words to a row."""
    if name == "character-ngrams (n-grams alone)":
        return lambda words: hashed_ngrams(" ".join(words))
    reader = extractor(name)
    return lambda words: reader.pooled(Lyrics(" ".join(words) or " "))


def unit(rows: Float32Array) -> Float32Array:
    """Rows of length 1."""
    return rows / np.maximum(np.sqrt((rows**2).sum(axis=1, keepdims=True)), 1e-9)


def ranks(queries: Float32Array, collection: Float32Array) -> Float32Array:
    """Rank of the own song, from 1; songs as near as it count before it."""
    scores = unit(queries) @ unit(collection).T
    own = np.diag(scores)[:, None]
    return (scores >= own).sum(axis=1).astype(np.float32)


def measure(name: str, pairs: list[Pair], cut: Callable[..., list[str]]) -> dict[str, float]:
    """Scores of one encoder, mean of both directions."""
    describe = rows_of(name)
    found, seconds = [], []
    for swapped in (False, True):
        queries, collection = [], []
        for first, second in pairs:
            query, target = (second, first) if swapped else (first, second)
            started = time.perf_counter()
            queries.append(describe(query))
            seconds.append(time.perf_counter() - started)
            collection.append(describe(cut(target, query)))
        q, c = np.stack(queries), np.stack(collection)
        if name == "character-ngrams":
            mean, spread = c.mean(axis=0), np.maximum(c.std(axis=0), 1e-3)
            q, c = (q - mean) / spread, (c - mean) / spread
        found.append(ranks(q, c))
    rank = np.concatenate(found)
    return {
        "songs": len(pairs),
        "mrr": round(float((1.0 / rank).mean()), 4),
        "recall@1": round(float((rank <= 1).mean()), 4),
        "recall@10": round(float((rank <= 10).mean()), 4),
        "chance_mrr": round(float((1.0 / np.arange(1, len(pairs) + 1)).mean()), 4),
        "milliseconds_per_text": round(1e3 * statistics.median(seconds), 2),
    }


def results(pack: Path, encoders: list[str], most: int) -> Iterator[dict[str, object]]:
    """One result for each encoder and kind of halves."""
    pairs = [halves(words) for words in english_texts(pack, most)]
    kinds: dict[str, Callable[..., list[str]]] = {
        "as sung": lambda words, _: words,
        "without repeats": without_repeats,
    }
    for kind, cut in kinds.items():
        for name in encoders:
            yield {"encoder": name, "halves": kind, **measure(name, pairs, cut)}


def main() -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--encoders", default="character-ngrams,minilm")
    parser.add_argument("--songs", type=int, default=500)
    arguments = parser.parse_args()
    encoders = arguments.encoders.split(",")
    if "character-ngrams" in encoders:
        encoders.insert(1, "character-ngrams (n-grams alone)")
    for result in results(arguments.pack, encoders, arguments.songs):
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
