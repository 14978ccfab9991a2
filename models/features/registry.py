"""Which extractor has which name, and which one a modality gets by default."""

from collections.abc import Callable
from typing import Any

from models.errors import DataError
from models.features.audio import LogMelStatistics
from models.features.compact import CompactAudio, CompactFrames, CompactImage
from models.features.everyday import EverydayAudio, EverydayImage, EverydayVideo
from models.features.extractor import Extractor
from models.features.foundation.clap import Clap
from models.features.foundation.sentences import Minilm, MultilingualSentence
from models.features.foundation.vision import Clip, ClipFrames, Siglip, SiglipFrames
from models.features.image import GradientColour
from models.features.lyrics import CharacterNgrams
from models.features.published.pictures import (
    InceptionV3Frames,
    InceptionV3Pictures,
    InceptionV3Projected,
    MobileNetV2Frames,
    MobileNetV2Pictures,
)
from models.features.published.sounds import Vggish, VggishPca, Yamnet, YamnetInt8
from models.features.score import StaffImage
from models.features.songs.extractors import SongAudio, SongLyrics, SongScore
from models.features.video import FrameMotion
from models.types import Modality

EXTRACTORS: dict[str, Callable[[], Extractor[Any]]] = {
    "compact-audio": CompactAudio,
    "compact-image": CompactImage,
    "compact-frames": CompactFrames,
    "everyday-audio": EverydayAudio,
    "everyday-image": EverydayImage,
    "everyday-video": EverydayVideo,
    "log-mel-statistics": LogMelStatistics,
    "gradient-colour": GradientColour,
    "frame-motion": FrameMotion,
    "character-ngrams": CharacterNgrams,
    "staff-image": StaffImage,
    "song-audio": SongAudio,
    "song-lyrics": SongLyrics,
    "song-score": SongScore,
    "yamnet": Yamnet,
    "yamnet-int8": YamnetInt8,
    "vggish": Vggish,
    "vggish-pca": VggishPca,
    "mobilenet-v2": MobileNetV2Pictures,
    "mobilenet-v2-frames": MobileNetV2Frames,
    "inception-v3": InceptionV3Pictures,
    "inception-v3-frames": InceptionV3Frames,
    "inception-v3-frames-1024": InceptionV3Projected,
    "clap": Clap,
    "clip": Clip,
    "clip-frames": ClipFrames,
    "siglip": Siglip,
    "siglip-frames": SiglipFrames,
    "multilingual-sentence": MultilingualSentence,
    "minilm": Minilm,
}

DEFAULT_EXTRACTORS: dict[Modality, str] = {
    Modality.AUDIO: "everyday-audio",
    Modality.IMAGE: "everyday-image",
    Modality.VIDEO: "everyday-video",
    Modality.LYRICS: "character-ngrams",
    Modality.SCORE: "staff-image",
}


def extractor(name: str) -> Extractor[Any]:
    """Return a new extractor by its name.

    Raises:
        DataError: If no extractor has this name; the message lists the known ones.
    """
    if name not in EXTRACTORS:
        raise DataError(f"no extractor is named {name!r}; known: {', '.join(sorted(EXTRACTORS))}")
    return EXTRACTORS[name]()
