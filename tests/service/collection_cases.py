"""Small collections for the tests beside this file."""

import hashlib
from typing import Any

import numpy as np

from models.types import Float32Array, Modality
from service.collection import Embedding, NewItem, SpaceRef

K = 16
AV = SpaceRef("audio-video", "0123456789abcdef", (Modality.AUDIO, Modality.VIDEO), K)
SONG = SpaceRef("audio-lyrics", "fedcba9876543210", (Modality.AUDIO, Modality.LYRICS), K)


def vector(seed: int) -> Float32Array:
    """A unit vector of its own for every seed, shape (K,)."""
    row = np.random.default_rng(seed).standard_normal(K)
    return (row / np.linalg.norm(row)).astype(np.float32)


def media(number: int) -> bytes:
    return f"sound {number} ".encode() * 50


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def new_item(number: int, **changes: Any) -> NewItem:
    facts: dict[str, Any] = {
        "modality": Modality.AUDIO,
        "media": media(number),
        "media_type": "audio/wav",
        "suffix": ".wav",
        "title": f"sound {number}",
        "embeddings": {AV.name: Embedding(vector(number), 0.5)},
    }
    return NewItem(**{**facts, **changes})


def numbers_found(hits):
    """Item numbers of each answer of ``Collection.search``."""
    return [[item.number for item, _ in answer] for answer in hits]


def media_files(folder):
    """Every file under media/ and pending/, by path inside the folder."""
    return sorted(
        str(path.relative_to(folder))
        for part in ("media", "pending")
        for path in (folder / part).rglob("*")
        if path.is_file()
    )
