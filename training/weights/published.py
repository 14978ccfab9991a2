"""Networks whose published weights can be converted, and what is known of their files."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from models.networks.inception_v3 import InceptionV3
from models.networks.mobilenet_v2 import MobileNetV2
from models.networks.vggish import VGGish, VGGishPca
from models.networks.yamnet import YAMNet


@dataclass(frozen=True, slots=True)
class PublishedNetwork:
    """A network and the layouts of its files.

    Attributes:
        builds: The networks whose names a file may hold, most first; the first that fits is taken.
        reference: The publication.
        unused: Beginnings of names in published files that no extractor needs.
        renames: Name in a published file -> name here, where they differ.
        skipped_layers: Layers of a TFLite file before the first one of the network (front end).
    """

    builds: tuple[Callable[[], nn.Module], ...]
    reference: str
    unused: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    skipped_layers: int = 0


_VGGISH_TENSORFLOW = (  # variables of vggish_slim.py
    ("vggish/conv1", "features.0"),
    ("vggish/conv2", "features.3"),
    ("vggish/conv3/conv3_1", "features.6"),
    ("vggish/conv3/conv3_2", "features.8"),
    ("vggish/conv4/conv4_1", "features.11"),
    ("vggish/conv4/conv4_2", "features.13"),
    ("vggish/fc1/fc1_1", "embeddings.0"),
    ("vggish/fc1/fc1_2", "embeddings.2"),
    ("vggish/fc2", "embeddings.4"),
)

PUBLISHED: dict[str, PublishedNetwork] = {
    "yamnet": PublishedNetwork(
        (YAMNet,),
        "Plakal and Ellis, YAMNet, tensorflow/models research/audioset/yamnet",
        skipped_layers=3,  # cosines, sines and mel bands: the front end
    ),
    "mobilenet-v2": PublishedNetwork(
        (MobileNetV2,), "Sandler et al., MobileNetV2, CVPR 2018, arXiv:1801.04381"
    ),
    "vggish": PublishedNetwork(
        (VGGishPca, VGGish),
        "Hershey et al., CNN architectures for large-scale audio classification, ICASSP 2017",
        renames=(
            *((f"{theirs}/weights", f"{ours}.weight") for theirs, ours in _VGGISH_TENSORFLOW),
            *((f"{theirs}/biases", f"{ours}.bias") for theirs, ours in _VGGISH_TENSORFLOW),
            ("pca_eigen_vectors", "pproc.pca_eigen_vectors"),
            ("pca_means", "pproc.pca_means"),
        ),
    ),
    "inception-v3": PublishedNetwork(
        (InceptionV3,),
        "Szegedy et al., Rethinking the Inception architecture, CVPR 2016, arXiv:1512.00567",
        unused=("AuxLogits.",),
    ),
}
