"""Networks whose published weights can be converted, and what is known of their files."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from models.networks.inception_v3 import InceptionV3
from models.networks.mobilenet_v2 import MobileNetV2
from models.networks.vggish import VGGish, VGGishPca
from models.networks.yamnet import YAMNet
from models.networks.yamnet_int8 import YAMNetInt8
from training.weights.download import PinnedFile


@dataclass(frozen=True, slots=True)
class PublishedNetwork:
    """A network and the layouts of its files.

    Attributes:
        builds: The networks whose names a file may hold, most first; the first that fits is taken.
        reference: The publication.
        files: Public addresses of the weights, for ``kyomei fetch-weights``.
        licence: Terms of these files.
        unused: Beginnings of names in published files that no extractor needs.
        renames: Name in a published file -> name here, where they differ.
        front_end_layers: Layers of a TFLite file before the first convolution; last in ``builds``.
    """

    builds: tuple[Callable[[], nn.Module], ...]
    reference: str
    files: tuple[PinnedFile, ...] = ()
    licence: str = ""
    unused: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    front_end_layers: int = 0


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

_TORCHVGGISH = "https://github.com/harritaylor/torchvggish/releases/download/v0.1"

PUBLISHED: dict[str, PublishedNetwork] = {
    "yamnet": PublishedNetwork(
        (YAMNetInt8, YAMNet),
        "Plakal and Ellis, YAMNet, tensorflow/models research/audioset/yamnet",
        files=(
            PinnedFile(
                "https://raw.githubusercontent.com/Jaskaran197/Speaker-Detector/"
                "4ec29b6938f1051fe36b46786f8d486d8b74a38e/yamnet.tflite",
                "469be6a3421cbc52cf97e9f2f966cba984198e8e7af9854d68b3e3ebb1e04194",
                4_078_224,
            ),
        ),
        licence="Apache-2.0 (tensorflow/models)",
        front_end_layers=3,  # cosines, sines and mel bands
    ),
    "mobilenet-v2": PublishedNetwork(
        (MobileNetV2,),
        "Sandler et al., MobileNetV2, CVPR 2018, arXiv:1801.04381",
        files=(
            PinnedFile(
                "https://raw.githubusercontent.com/google-coral/test_data/"
                "104342d2d3480b3e66203073dac24f4e2dbb4c41/tf2_mobilenet_v2_1.0_224_ptq.tflite",
                "5d3137241276e79c86d14a74fe43581398ae0e815191d3dba45495b810840e8c",
                4_070_174,
            ),
        ),
        licence="Apache-2.0 (google-coral/test_data)",
    ),
    "vggish": PublishedNetwork(
        (VGGishPca, VGGish),
        "Hershey et al., CNN architectures for large-scale audio classification, ICASSP 2017",
        files=(
            PinnedFile(f"{_TORCHVGGISH}/vggish-10086976.pth", "10086976", 288_567_937),
            PinnedFile(f"{_TORCHVGGISH}/vggish_pca_params-970ea276.pth", "970ea276", 181_358),
        ),
        licence="Apache-2.0 (harritaylor/torchvggish, from tensorflow/models)",
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
        files=(
            PinnedFile(
                "https://huggingface.co/timm/inception_v3.tv_in1k/resolve/main/model.safetensors",
                "9c452c63a67fd03a38a78c401ba12d4be0e926df63c93403de3a29f6df20fefb",
            ),
        ),
        licence="BSD-3-Clause code of torchvision; trained on ImageNet (research terms)",
        unused=("AuxLogits.",),
    ),
}
