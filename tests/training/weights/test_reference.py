"""The converted networks against the reference interpreter, on a few real clips and images.

`benchmarks/published_networks.py agreement` does the same on 100 of each.
"""

import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from models.features.audioset_mel import PATCH_SAMPLES
from models.features.published.base import build_network
from models.features.published.pictures import MobileNetV2Pictures
from models.features.published.sounds import Yamnet, YamnetInt8
from models.features.weights import find_weights
from models.media.limits import MediaLimits
from models.media.load import load
from models.networks.mobilenet_v2 import MobileNetV2
from models.types import Audio, Image, Modality
from tests.contracts.extractor_weights import weights_in
from training.weights.convert import convert_weights
from training.weights.eight_bit import RoundedMobileNetV2
from training.weights.tflite import read_tflite

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
YAMNET = DATA / "weights" / "yamnet_int8" / "yamnet.tflite"
MOBILENET = DATA / "weights" / "mobilenet_v2_int8" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
YAMNET_LOG_MEL, YAMNET_EMBEDDING, YAMNET_SCORES = 89, 121, 123  # tensors of the files
MOBILENET_EMBEDDING = 172

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="no ../shared/data beside the checkout"),
    pytest.mark.filterwarnings("ignore:Warning. Enabling .experimental_preserve:UserWarning"),
]


def interpreter(path):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    made = litert.Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)
    made.allocate_tensors()
    return made


def answers(made, values, *tensors):
    made.set_tensor(0, values)
    made.invoke()
    return [made.get_tensor(tensor).copy() for tensor in tensors]


def members(pack, ending, count):
    with tarfile.open(DATA / pack) as archive:
        names = sorted(name for name in archive.getnames() if name.endswith(ending))
        for name in names[:: len(names) // count][:count]:
            member = archive.extractfile(name)
            assert member is not None
            yield member.read()


def cosines(one, other):
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / lengths


@pytest.fixture(scope="module", autouse=True)
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted")
    convert_weights("yamnet", [YAMNET], folder)
    convert_weights("mobilenet-v2", [MOBILENET], folder)
    with weights_in(folder):
        yield folder


def test_the_source_and_terms_of_the_shared_files_are_known():
    for name, repository in (("yamnet", "Speaker-Detector"), ("mobilenet-v2", "google-coral")):
        found = find_weights(name)
        assert repository in found.source
        assert found.licence.startswith("Apache-2.0")


def test_yamnet_agrees_with_the_interpreter():
    reference = interpreter(YAMNET)
    for content in members("esc10.tar", ".ogg", 6):
        audio = load(content, Modality.AUDIO, MediaLimits())
        assert isinstance(audio, Audio)
        windows = YamnetInt8().prepare(audio)
        assert windows.shape[1:] == (PATCH_SAMPLES,)
        said = [
            answers(reference, one[None], YAMNET_LOG_MEL, YAMNET_EMBEDDING, YAMNET_SCORES)
            for one in windows
        ]
        theirs = np.concatenate([embedding for _, embedding, _ in said])
        whole = YamnetInt8().sequence(audio)
        network = Yamnet().forward([np.stack([mel for mel, _, _ in said])], sequence=True)[0]
        assert cosines(network, theirs).min() > 0.999
        pooled = cosines(whole.mean(axis=0, keepdims=True), theirs.mean(axis=0, keepdims=True))
        assert pooled[0] > 0.99
        scores = np.concatenate([scores for _, _, scores in said])
        assert np.abs(Yamnet().class_scores(network) - scores).max() < 0.05


def test_mobilenet_v2_agrees_with_the_interpreter():
    reference, subject = interpreter(MOBILENET), MobileNetV2Pictures()
    network = build_network(MobileNetV2, find_weights("mobilenet-v2"))
    rounded = RoundedMobileNetV2(network, read_tflite(MOBILENET))
    ours, eight_bit, theirs = [], [], []
    for content in members("caltech101_subset.tar", ".jpg", 12):
        image = load(content, Modality.IMAGE, MediaLimits())
        assert isinstance(image, Image)
        pixels = subject.prepare(image)
        with torch.inference_mode():
            planes = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float()
            eight_bit.append(rounded(planes)[0].numpy())
        ours.append(subject.forward([pixels])[0])
        (levels,) = answers(reference, pixels, MOBILENET_EMBEDDING)
        theirs.append(levels.ravel().astype(np.float32) + 128.0)
    assert cosines(np.stack(eight_bit), np.stack(theirs)).min() > 0.99
    plain = cosines(np.stack(ours), np.stack(theirs))
    assert plain.min() > 0.95
    assert np.median(plain) > 0.99
