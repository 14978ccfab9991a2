"""Examples shown in ``/docs`` and printed by ``kyomei demo``."""

import shlex
from typing import Any

from models.types import Modality

_FILES = {
    Modality.AUDIO: "rain.wav",
    Modality.IMAGE: "rain.jpg",
    Modality.VIDEO: "rain.mp4",
    Modality.SCORE: "song.musicxml",
}
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

SEARCH_EXAMPLE: dict[str, Any] = {
    "description": "The nearest items, best first.",
    "content": {
        "application/json": {
            "example": {
                "query": {
                    "modality": "audio",
                    "media_type": "audio/wav",
                    "sha256": _HASH,
                    "bytes": 176444,
                    "duration_seconds": 4.0,
                    "width": None,
                    "height": None,
                    "pages": None,
                    "lines": None,
                    "characters": None,
                    "item_id": None,
                    "typicality": 0.97,
                    "note": None,
                },
                "space": "everyday",
                "took_ms": {
                    "decode": 6.1,
                    "features": 18.4,
                    "project": 0.2,
                    "search": 1.3,
                    "total": 26.2,
                },
                "results": [
                    {
                        "rank": 1,
                        "score": 0.83,
                        "item": {
                            "id": "5d41402abc4b2a76b971",
                            "work_id": "everyday/rain/0007",
                            "modality": "video",
                            "title": "0007",
                            "label": "rain",
                            "media_type": "video/mp4",
                            "bytes": 81920,
                            "sha256": _HASH,
                            "created_at": "2026-11-22T12:00:00Z",
                            "media_url": "/items/5d41402abc4b2a76b971/media",
                            "preview_url": "/items/5d41402abc4b2a76b971/preview",
                            "metadata": {"duration_seconds": 4.0},
                            "tags": ["outdoors"],
                        },
                        "excerpt": None,
                        "query_excerpt": None,
                    }
                ],
                "next": "1.3f547ae1.7.1234",
            }
        }
    },
}


def curl_line(
    source: Modality,
    target: Modality,
    *,
    file: str | None = None,
    base_url: str = "http://127.0.0.1:8000",
) -> str:
    r"""Return a shell line that runs a search.

    Args:
        source: Modality of the query.
        target: What to look for.
        file: Path of the query; a made-up name when left out (lyrics: a line of text).
        base_url: Address of the service.

    Example:
        >>> curl_line(Modality.AUDIO, Modality.VIDEO, file="my rain.wav")
        'curl -F \'file=@"my rain.wav"\' \'http://127.0.0.1:8000/search/audio-to-video?k=5\''
    """
    address = shlex.quote(f"{base_url}/search/{source}-to-{target}?k=5")
    if file is None and source is Modality.LYRICS:
        return f"curl -F 'text=Freude, schöner Götterfunken' {address}"
    name = (file or _FILES[source]).replace("\\", "\\\\").replace('"', '\\"')
    field = shlex.quote(f'file=@"{name}"')
    return f"curl -F {field} {address}"
