"""Which feature networks can be trained, what they read and who teaches them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from models.errors import DataError
from models.features.weights import find_weights
from models.networks.compact_audio import EMBEDDING as AUDIO_EMBEDDING
from models.networks.compact_audio import CompactAudio
from models.networks.compact_image import EMBEDDING as IMAGE_EMBEDDING
from models.networks.compact_image import CompactImage, network_input
from models.networks.mobilenet_v2 import MobileNetV2
from models.networks.yamnet import YAMNet
from models.types import Modality
from training.feature_networks.config import FeatureNetworkConfig
from training.feature_networks.labelled_media import LabelledFile, Task
from training.feature_networks.objective import mixed_precision
from training.feature_networks.pictures import PicturePieces
from training.feature_networks.sounds import SoundPieces
from training.feature_networks.source import Pieces, TeacherOf


@dataclass(frozen=True, slots=True)
class Kind:
    """A feature network that ships and is trained here.

    Attributes:
        modality: What it reads.
        dimension: D of its embedding; it ends with what its teacher gives.
        build: The network, with the weights of its teacher wherever names and shapes agree.
        teacher: Name of the weights it starts from and imitates.
        pieces: Files as it takes them.
        teach: The teacher as a function of pieces and file numbers.
    """

    modality: Modality
    dimension: int
    build: Callable[[], nn.Module]
    teacher: str
    pieces: Callable[[Sequence[LabelledFile], Sequence[Task], FeatureNetworkConfig], Pieces]
    teach: Callable[[Pieces, int, FeatureNetworkConfig], TeacherOf]


def kind_of(name: str) -> Kind:
    """Return a kind by its name.

    Raises:
        DataError: If there is none; the message lists those there are.
    """
    if name not in KINDS:
        raise DataError(f"expected a network of {', '.join(KINDS)}, got {name!r}")
    return KINDS[name]


def _filled(network: nn.Module, weights: str) -> nn.Module:
    """Give a network the weights of these names; the file may hold more."""
    tensors = find_weights(weights).tensors()
    network.load_state_dict(
        {name: torch.from_numpy(tensors[name]) for name in network.state_dict()}
    )
    # Channels last: depthwise convolutions are several times faster that way on a CPU.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _sound_pieces(
    files: Sequence[LabelledFile], tasks: Sequence[Task], config: FeatureNetworkConfig
) -> Pieces:
    del tasks
    return SoundPieces(files, per_file=config.pieces_per_file)


def _picture_pieces(
    files: Sequence[LabelledFile], tasks: Sequence[Task], config: FeatureNetworkConfig
) -> Pieces:
    del config
    # A mirrored digit is another sign; everything else may look the other way.
    return PicturePieces(files, mirrored=[not set(task.classes) <= _DIGITS for task in tasks])


def _teach_sounds(pieces: Pieces, n_files: int, config: FeatureNetworkConfig) -> TeacherOf:
    """YAMNet hears the same patch."""
    del pieces, n_files
    network = _filled(YAMNet(), "yamnet").eval().to(config.device)

    def teach(patches: Tensor, numbers: Tensor) -> Tensor:
        del numbers
        with torch.no_grad(), mixed_precision(config):
            return network(patches).float()

    return teach


def _teach_pictures(pieces: Pieces, n_files: int, config: FeatureNetworkConfig) -> TeacherOf:
    """MobileNetV2 sees the whole picture in full size, once."""
    network = _filled(MobileNetV2(), "mobilenet-v2").eval().to(config.device)
    pictures_of = cast("PicturePieces", pieces)
    seen = np.empty((n_files, IMAGE_EMBEDDING), np.float16)
    for start in tqdm(range(0, n_files, config.batch_size), desc="teacher", unit="batch"):
        numbers = range(start, min(start + config.batch_size, n_files))
        pictures = np.stack([pictures_of.large(number) for number in numbers])
        with torch.no_grad(), mixed_precision(config):
            embedded = network(network_input(torch.from_numpy(pictures).to(config.device)))
        seen[start : start + len(pictures)] = embedded.float().cpu().numpy()
    table = torch.from_numpy(seen)
    return lambda _, numbers: table[numbers].float().to(config.device)


_DIGITS: Final = set("0123456789")
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "compact-audio": Kind(
            Modality.AUDIO,
            AUDIO_EMBEDDING,
            lambda: _filled(CompactAudio(), "yamnet"),
            "yamnet",
            _sound_pieces,
            _teach_sounds,
        ),
        "compact-image": Kind(
            Modality.IMAGE,
            IMAGE_EMBEDDING,
            lambda: _filled(CompactImage(), "mobilenet-v2"),
            "mobilenet-v2",
            _picture_pieces,
            _teach_pictures,
        ),
    }
)
