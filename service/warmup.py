"""One tiny file of each modality, made here, so that lazy imports and caches are paid at start."""

import io
import logging
import math
import struct
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from PIL import Image as Picture

from models.errors import KyomeiError
from models.types import Modality
from service.embedder import Embedder

_logger = logging.getLogger(__name__)

_SIZE = (64, 64)
_ABC = b"X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n"


def _tone() -> bytes:
    rate_hz = 8_000
    samples = [int(9_000 * math.sin(440 * math.tau * i / rate_hz)) for i in range(rate_hz // 4)]
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


def _picture() -> bytes:
    out = io.BytesIO()
    Picture.linear_gradient("L").resize(_SIZE).convert("RGB").save(out, "PNG")
    return out.getvalue()


def _moving_picture() -> bytes:
    frames = [Picture.new("RGB", _SIZE, (60 * i, 90, 200)) for i in range(4)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=250)
    return out.getvalue()


TINY_FILES: dict[Modality, Callable[[], bytes]] = {
    Modality.AUDIO: _tone,
    Modality.IMAGE: _picture,
    Modality.VIDEO: _moving_picture,
    Modality.LYRICS: lambda: b"a line of a song",
    Modality.SCORE: lambda: _ABC,
}


def warm_up(embedder: Embedder, *, workers: int) -> None:
    """Send a tiny file of every covered modality through every worker process.

    Limits may be set so low that even these files are refused; then there is nothing to warm up.
    """
    for modality in embedder.modalities:
        try:
            _send(embedder, modality, workers)
        except KyomeiError as error:
            _logger.warning("no warm-up for %s: %s", modality, error)


def _send(embedder: Embedder, modality: Modality, workers: int) -> None:
    files = [TINY_FILES[modality]()] * workers
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(partial(embedder.read, modality=modality), files))
    media = embedder.decode(files[0], modality)
    embedder.embed(media, modality, embedder.space_names(modality))
