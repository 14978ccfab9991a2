"""What a worker of the isolation tests runs instead of ``load``: importable by name in a child."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.load import Probe
from models.types import Lyrics, Media, Modality


def obey(source: bytes | Path, modality: Modality, limits: MediaLimits) -> Media:
    """Do what the bytes say."""
    if source == b"crash":
        os._exit(7)
    if source == b"hang":
        time.sleep(600)
    if source == b"memory":
        return Lyrics("x" * 2**40)
    if source == b"refuse":
        raise MediaError("unsupported", "refused")
    if source == b"process":
        return Lyrics(str(os.getpid()))
    if source == b"slow":
        time.sleep(0.3)
        return Lyrics(str(os.getpid()))
    return Lyrics(f"{modality} {len(source) if isinstance(source, bytes) else source.name}")


def obey_probing(source: bytes | Path, limits: MediaLimits) -> Probe:
    """Do what the bytes say, and tell the process in place of the media type."""
    obey(source, Modality.LYRICS, limits)
    return Probe(Modality.LYRICS, str(os.getpid()))


def _die() -> None:
    os._exit(9)


class DiesOnArrival:
    """A decoder that ends the worker before it is ready."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return _die, ()

    def __call__(self, *_: object) -> Media:
        raise AssertionError("never reached")
