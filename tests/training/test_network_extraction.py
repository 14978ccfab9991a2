"""Extraction with networks: real extractors, tiny checkpoints, workers, a kill."""

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import soundfile

from models.errors import DataError
from models.features.registry import extractor
from models.features.steps import resample_steps
from models.features.weights import WEIGHTS_DIR_VARIABLE, read_weight_set
from models.media.load import load
from models.types import Modality
from tests.contracts.foundation_checkpoints import write_checkpoints
from training.artefact import train_space
from training.datasets.example import Example, ListedDataset
from training.datasets.feature_file import read_feature_file
from training.extraction import ExtractionOptions, _identity, extract
from training.extraction_workers import WorkerSettings
from training.loops.linear_recipe import LinearConfig

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
AUDIO, IMAGE, LYRICS = Modality.AUDIO, Modality.IMAGE, Modality.LYRICS
NETWORKS = {IMAGE: "clip", AUDIO: "clap", LYRICS: "character-ngrams"}
COUNT = 12
SPLITS = ("train", "train", "validation", "test")


@pytest.fixture(scope="module", autouse=True)
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoints(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WEIGHTS_DIR_VARIABLE, str(folder))
        yield folder


def picture(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def wave(seed):
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, 4000 * (1 + 25 * (seed == 1)))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 8000, format="WAV")
    return buffer.getvalue()


MAKERS = {AUDIO: wave, IMAGE: picture, LYRICS: lambda seed: f"the moon {seed} is up".encode()}


def dataset(folder=None):
    """Interleaved modalities, one damaged picture; pictures from files where a folder is given."""
    listed = []
    for row in range(COUNT):
        for modality, make in MAKERS.items():
            data = b"damaged" if (modality, row) == (IMAGE, 5) else make(row)
            source: dict[str, Any] = {"data": data}
            if folder is not None and modality == IMAGE:
                path = folder / f"{row}.png"
                source = {"path": path}
                if not path.exists():
                    path.write_bytes(data)
            listed.append(Example(f"c{row}", modality, "ab"[row % 2], SPLITS[row % 4], **source))
    return ListedDataset("mine", "CC0", "me", ("a", "b"), True, tuple(listed))


def options(**changes):
    return ExtractionOptions(extractors=NETWORKS, **{"workers": 2, "device": "cpu", **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory, checkpoints):
    """The feature file of a run that nothing disturbed."""
    path = tmp_path_factory.mktemp("whole") / "f.h5"
    return extract(dataset(), path, options(), progress=False)


def test_every_row_has_the_bits_of_the_file_alone(whole):
    data = read_feature_file(whole.path)
    assert whole.rows == {"audio": COUNT, "image": COUNT - 1, "lyrics": COUNT}
    assert [(failure.view, failure.id) for failure in whole.failures] == [("image", "c5")]
    for modality, make in MAKERS.items():
        reader = extractor(NETWORKS[modality])
        rows = [row for row in range(COUNT) if (modality, row) != (IMAGE, 5)]
        expected = [reader.pooled(load(make(row), modality)) for row in rows]
        assert np.array_equal(data.views[modality].features, expected)


def test_sequences_have_the_bits_of_the_file_alone(tmp_path):
    extract(dataset(), tmp_path / "f.h5", options(steps=3, workers=1), progress=False)
    views = read_feature_file(tmp_path / "f.h5").views
    for modality in (AUDIO, IMAGE):
        sequence = extractor(NETWORKS[modality]).sequence(load(MAKERS[modality](1), modality))
        assert np.array_equal(views[modality].features[1], resample_steps(sequence, 3))


def test_the_file_keeps_parameters_and_the_hash_of_the_weights(whole, checkpoints):
    data = read_feature_file(whole.path)
    digest = read_weight_set(checkpoints, "clip").sha256
    assert data.extractor_parameters["image"]["weights_sha256"] == digest
    for modality, name in NETWORKS.items():
        spec = extractor(name).spec
        assert data.extractors[modality] == (name, spec.fingerprint)
        assert data.extractor_parameters[modality] == dict(spec.parameters)


def test_a_space_keeps_the_parameters_of_its_views(whole, tmp_path, checkpoints):
    data = read_feature_file(whole.path)
    del data.views["lyrics"]
    config = LinearConfig(ridges=(1.0,), betas=(0.5,))
    manifest = train_space("c-cca", data, tmp_path / "s", config=config, seed=0, progress=False)
    assert set(manifest.extractor_parameters) == {"audio", "image"}
    digest = read_weight_set(checkpoints, "clap").sha256
    assert manifest.extractor_parameters["audio"]["weights_sha256"] == digest


PROGRAM = """
import sys
from pathlib import Path
from typing import Any
from tests.training.test_network_extraction import dataset, options
from training.extraction import extract
folder, out = map(Path, sys.argv[1:])
extract(dataset(folder), out, options(workers=1), progress=False)
"""


def test_a_run_that_was_killed_goes_on_where_it_stopped(whole, tmp_path):
    """One picture is a pipe that nobody writes to, so the kill comes while a file is being read."""
    dataset(tmp_path)
    stuck = tmp_path / "7.png"
    stuck.unlink()
    os.mkfifo(stuck)
    out = tmp_path / "f.h5"
    run = subprocess.Popen([sys.executable, "-c", PROGRAM, tmp_path, out], cwd=ROOT)
    journal = out.with_name("f.h5.partial") / "journal.jsonl"
    _wait_for(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 6, run)
    run.send_signal(signal.SIGKILL)
    run.wait()
    stuck.unlink()
    stuck.write_bytes(picture(7))
    assert not out.exists()

    report = extract(dataset(tmp_path), out, options(), progress=False)

    assert 6 <= report.resumed < 3 * COUNT - 1
    assert out.read_bytes() == whole.path.read_bytes()


def _wait_for(condition, run):
    tick = threading.Event()
    while not condition():
        assert run.poll() is None, "expected a run that waits for the pipe"
        tick.wait(0.01)


def test_rows_of_another_device_are_not_mixed():
    settings = WorkerSettings(NETWORKS)
    cpu, gpu, none = (_identity(settings, device) for device in ("cpu", "cuda", None))
    assert len({cpu, gpu, none}) == 3
    assert "device" not in none  # nothing that is not said of extractors without a network


def test_missing_weights_are_said_before_anything_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match="run kyomei fetch-weights"):
        extract(dataset(), tmp_path / "f.h5", options(), progress=False)
    assert list(tmp_path.iterdir()) == []
