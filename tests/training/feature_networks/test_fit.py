"""Training of a feature network from end to end, on a few small files."""

import json

import numpy as np
import pytest
import torch

from models.errors import DataError
from models.features.weights import WEIGHTS_DIR_VARIABLE, read_weight_set
from models.networks.compact_audio import CompactAudio
from models.networks.compact_image import CompactImage
from models.networks.yamnet import YAMNet
from models.types import Modality
from tests.training.datasets.tiny_packs import write_picture, write_sound
from tests.training.feature_networks.teachers import write_teachers
from training.config import load_config
from training.datasets.folder import open_folder
from training.feature_networks.config import FeatureNetworkConfig, shipped_config
from training.feature_networks.fit import FitOptions, train_feature_network
from training.feature_networks.kinds import KINDS, kind_of
from training.feature_networks.labelled_media import gather
from training.loops.checkpoints import Checkpoint

pytestmark = pytest.mark.slow
CONFIG = FeatureNetworkConfig(epochs=2, batch_size=8, pieces_per_file=2, mixed_precision=False)


@pytest.fixture(scope="module", autouse=True)
def teachers(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = write_teachers(tmp_path_factory.mktemp("teachers"))
        patch.setenv(WEIGHTS_DIR_VARIABLE, str(folder))
        yield


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    root = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng(0)
    for label in ("rain", "drum"):
        for number in range(10):
            write_sound(root / f"audio/{label}/{number}.wav", rng, seconds=1.5)
            write_picture(root / f"image/{label}/{number}.png", rng)
    dataset = open_folder(root, seed=0)
    return {one: gather([dataset], one) for one in (Modality.AUDIO, Modality.IMAGE)}


def fit(name, media, folder, config=CONFIG, **options):
    found = media[kind_of(name).modality]
    return train_feature_network(name, found, config, FitOptions(folder, progress=False, **options))


def arrays(weights):
    return weights.tensors()


@pytest.mark.parametrize("name", KINDS)
def test_weights_history_and_origin_are_written(name, media, tmp_path):
    written = fit(name, media, tmp_path)

    found = read_weight_set(tmp_path, name)
    assert found == written
    assert found.details["started_from"]["name"] == kind_of(name).teacher
    assert found.details["tasks"][0]["classes"] == ["drum", "rain"]
    assert 0.0 <= found.details["validation_accuracy"]["folder"] <= 1.0
    history = json.loads((tmp_path / f"{name}_history.json").read_text())
    assert [entry["epoch"] for entry in history] == [1, 2]
    assert not (tmp_path / "checkpoint.safetensors").exists()
    network = {"compact-audio": CompactAudio, "compact-image": CompactImage}[name]()
    assert {key: value.shape for key, value in arrays(found).items()} == {
        key: tuple(value.shape) for key, value in network.state_dict().items()
    }
    assert {value.dtype for value in arrays(found).values()} == {np.dtype(np.float16)}


def test_the_network_starts_from_the_first_layers_of_its_teacher(media, tmp_path):
    written = fit(
        "compact-audio",
        media,
        tmp_path,
        FeatureNetworkConfig(epochs=1, batch_size=8, learning_rate=1e-12),
    )

    with torch.random.fork_rng():
        torch.manual_seed(0)
        teacher = YAMNet().state_dict()
    for key, value in arrays(written).items():
        assert np.allclose(value, teacher[key].numpy(), atol=1e-3), key


def test_the_same_seed_gives_the_same_weights_and_another_does_not(media, tmp_path):
    first = fit("compact-audio", media, tmp_path / "1", seed=1)
    again = fit("compact-audio", media, tmp_path / "2", seed=1)
    other = fit("compact-audio", media, tmp_path / "3", seed=2)

    assert first.sha256 == again.sha256 != other.sha256


def test_an_interrupted_run_goes_on_to_the_same_weights(media, tmp_path, monkeypatch):
    whole = fit("compact-audio", media, tmp_path / "whole")

    class StoppedError(Exception):
        pass

    with monkeypatch.context() as patch:
        original = Checkpoint.save

        def save_and_stop(self, *state):
            original(self, *state)
            raise StoppedError

        patch.setattr(Checkpoint, "save", save_and_stop)
        with pytest.raises(StoppedError):
            fit("compact-audio", media, tmp_path / "cut")
    resumed = fit("compact-audio", media, tmp_path / "cut", resume=True)

    assert resumed.sha256 == whole.sha256


def test_training_lowers_the_loss(media, tmp_path):
    config = FeatureNetworkConfig(
        epochs=10,
        batch_size=7,
        learning_rate=3e-3,
        label_smoothing=0.0,
        augment=False,
        mixed_precision=False,
    )
    fit("compact-image", media, tmp_path, config)

    history = json.loads((tmp_path / "compact-image_history.json").read_text())
    assert history[-1]["classes"] < 0.8 * history[0]["classes"]
    assert "teacher" in history[0]


def test_validation_files_can_be_learnt_from_and_then_report_nothing(media, tmp_path):
    config = FeatureNetworkConfig(
        epochs=1, batch_size=4, include_validation=True, teacher_weight=0.0, mixed_precision=False
    )
    written = fit("compact-image", media, tmp_path, config)

    assert written.details["validation_accuracy"] == {}


def test_missing_teachers_are_named(media, tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    with pytest.raises(DataError, match="yamnet"):
        fit("compact-audio", media, tmp_path)


def test_an_unknown_network_is_refused():
    with pytest.raises(DataError, match="expected a network of compact-audio, compact-image"):
        kind_of("resnet")


@pytest.mark.parametrize("name", KINDS)
def test_the_settings_that_ship_can_be_read(name):
    assert load_config(FeatureNetworkConfig, shipped_config(name)).epochs >= 3


@pytest.mark.parametrize("field", ["batch_size", "pieces_per_file", "files_per_task", "threads"])
def test_impossible_settings_are_refused(field):
    with pytest.raises(DataError, match=field):
        load_config(FeatureNetworkConfig, assignments=[f"{field} = 0"])
    with pytest.raises(DataError, match="teacher_weight"):
        FeatureNetworkConfig(teacher_weight=-1.0)
