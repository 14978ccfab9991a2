"""YAMNet and VGGish as extractors."""

import numpy as np
import pytest
import torch

from models.errors import ArtefactError, DataError
from models.features.audioset_mel import log_mel_frames
from models.features.extractor import runs_in_batches
from models.features.published.base import build_network
from models.features.published.sounds import Vggish, VggishPca, Yamnet, YamnetInt8
from models.features.weights import find_weights, write_weights
from models.networks.yamnet import YAMNet
from models.types import Audio
from tests.contracts.extractor_weights import weights_in

pytestmark = pytest.mark.usefixtures("random_weights")
RNG = np.random.default_rng(0)


def sound(samples: int) -> Audio:
    return Audio((0.2 * RNG.standard_normal(samples)).astype(np.float32), 16_000)


def test_a_step_is_the_network_on_a_patch_of_the_published_log_mel():
    subject, audio = Yamnet(), sound(15_600 + 7_680)
    network = build_network(YAMNet, find_weights("yamnet"))
    frames = log_mel_frames(audio.samples.astype(np.float64), offset=0.001).astype(np.float32)
    with torch.inference_mode():
        expected = [network(torch.from_numpy(frames[k : k + 96][None]))[0] for k in (0, 48)]
    steps = subject.sequence(audio)
    np.testing.assert_allclose(steps, torch.stack(expected).numpy(), atol=1e-5)
    np.testing.assert_allclose(subject.pooled(audio), steps.mean(axis=0), atol=1e-6)


def test_yamnet_hears_the_rest_and_vggish_leaves_it_out():
    audio = sound(3 * 16_000)
    rest = Audio(np.concatenate([audio.samples, audio.samples[:8_000]]), 16_000)
    assert len(Yamnet().prepare(rest)) == len(Yamnet().prepare(audio)) + 1
    np.testing.assert_array_equal(Vggish().prepare(rest), Vggish().prepare(audio))
    assert len(Vggish().prepare(audio)) == 3


def test_a_batch_gives_the_bits_of_single_sounds():
    """On the CPU an item's bits depend on no neighbour and on no place in a chunk."""
    for subject in (Yamnet(), YamnetInt8(), Vggish()):
        assert runs_in_batches(subject)
        sounds = [sound(n) for n in (8_000, 33_000)]
        batch = [subject.prepare(one) for one in sounds]
        for one, row, steps in zip(
            sounds, subject.forward(batch), subject.forward(batch, sequence=True), strict=True
        ):
            assert row.tobytes() == subject.pooled(one).tobytes()
            assert steps.tobytes() == subject.sequence(one).tobytes()


def test_vggish_pca_gives_whole_numbers_a_patch():
    steps = VggishPca().sequence(sound(32_000))
    assert steps.shape == (2, 128)
    assert set(np.unique(steps % 1)) == {0.0}


def test_scores_of_classes_are_those_of_the_network():
    subject = Yamnet()
    rows = subject.sequence(sound(40_000))
    network = build_network(YAMNet, find_weights("yamnet"))
    with torch.inference_mode():
        expected = network.scores(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(subject.class_scores(rows), expected, atol=1e-6)
    with pytest.raises(DataError, match="vggish has none"):
        Vggish().class_scores(rows[:, :128])


def test_the_fingerprint_follows_the_weights(tmp_path):
    before = Yamnet().spec
    assert before.parameters["weights_sha256"] == find_weights("yamnet").sha256
    tensors = find_weights("yamnet").tensors()
    tensors["dense.bias"] = tensors["dense.bias"] + 1
    write_weights(tmp_path, "yamnet", tensors, source="a test", licence="CC0-1.0")
    with weights_in(tmp_path):
        assert Yamnet().spec.fingerprint != before.fingerprint


def test_without_weights_the_first_question_says_what_to_do(tmp_path):
    with weights_in(tmp_path), pytest.raises(DataError, match="kyomei fetch-weights vggish"):
        _ = Vggish().spec


def test_a_changed_byte_is_refused_when_the_network_is_built(tmp_path):
    tensors = {**find_weights("yamnet").tensors(), "dense.bias": np.full(521, 7, np.float32)}
    written = write_weights(tmp_path, "yamnet", tensors, source="a test", licence="CC0-1.0")
    file = tmp_path / "yamnet.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with weights_in(tmp_path), pytest.raises(ArtefactError) as caught:
        Yamnet().pooled(sound(100))
    assert written.sha256 in str(caught.value)
    assert "the file has" in str(caught.value)


def test_weights_of_another_network_are_refused(tmp_path):
    write_weights(tmp_path, "yamnet", {"a": np.zeros(1)}, source="a test", licence="CC0-1.0")
    with weights_in(tmp_path), pytest.raises(DataError, match="missing: dense"):
        Yamnet().pooled(sound(100))
