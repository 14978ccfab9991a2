"""Writes lyric-melody songs of our own making in the layout of the data."""

import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np

SYLLABLES = (
    "sun",
    "wa",
    "ter",
    "O",
    "ver",
    "hill",
    "and",
    "stone",
    "we",
    "go",
    "riv",
    "er",
    "song",
)


def song(rng, name: str, length: int) -> dict[str, Any]:
    """Random notes in C major, with rests now and then."""
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    return {
        "id": name,
        "src": "own",
        "syl": [SYLLABLES[index % len(SYLLABLES)] for index in range(length)],
        "p": [scale[index] for index in rng.integers(len(scale), size=length)],
        "d": [float(d) for d in rng.choice([0.25, 0.5, 0.75, 1.0, 1.5, 2.0], size=length)],
        "r": [float(r) for r in rng.choice([0.0, 0.0, 0.0, 1.0, 2.0], size=length)],
        "ioi": [0] * length,
        "len": [0] * length,
        "vel": [90] * length,
    }


def write_lyric_songs(folder: Path, songs, clusters: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with lzma.open(folder / "songs.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in songs)
    lines = "".join(f"{name}\t{cluster}\n" for name, cluster in clusters.items())
    (folder / "song_clusters.tsv").write_text(lines)
    return folder


def write_collection(folder: Path, *, clusters: int = 20, versions: int = 2, length: int = 65):
    """Several versions of each song: the same words, the melody with some notes changed."""
    rng = np.random.default_rng(0)
    songs, groups = [], {}
    for cluster in range(clusters):
        first = song(rng, f"s{cluster}v0", length)
        for version in range(versions):
            changed = dict(first, id=f"s{cluster}v{version}", p=list(first["p"]))
            for place in range(version, length, 7):
                changed["p"][place] = 60 + version
            songs.append(changed)
            groups[f"s{cluster}v{version}"] = str(100 + cluster)
    return write_lyric_songs(folder, songs, groups)
