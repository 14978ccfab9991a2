"""What is refused before a network is built from a checkpoint, and what stays unloaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import load_tensors, save_tensors
from models.errors import ArtefactError, DataError
from models.features.foundation import checkpoints as table
from models.features.foundation.checkpoints import CHECKPOINTS, find_checkpoint
from models.features.foundation.sentences import Minilm
from models.features.foundation.vision import Clip, ClipFrames
from models.features.weights import WEIGHTS_DIR_VARIABLE, file_sha256, read_weight_set
from models.types import Image

ROOT = Path(__file__).parents[4]
PICTURE = Image(np.zeros((8, 8, 3), dtype=np.uint8))


@pytest.fixture
def copied(checkpoints, tmp_path, monkeypatch):
    folder = shutil.copytree(checkpoints, tmp_path / "weights")
    monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(folder))
    return folder


def relisted(folder, name, **files):
    """Write the manifest again with other hashes."""
    manifest = json.loads((folder / f"{name}.json").read_text())
    manifest["files"].update(files)
    (folder / f"{name}.json").write_text(json.dumps(manifest))


def test_every_checkpoint_is_pinned_to_a_commit():
    for one in CHECKPOINTS.values():
        assert len(one.revision) == 40
        assert int(one.revision, 16)
        assert all(digest is None or len(digest) == 64 for digest in one.files.values())
        assert one.source.endswith(one.revision)


def test_the_hash_of_the_weights_is_in_the_specification(checkpoints):
    digest = read_weight_set(checkpoints, "clip").sha256
    assert Clip().spec.parameters["weights_sha256"] == digest
    assert ClipFrames().spec.parameters["weights_sha256"] == digest
    assert Clip().spec.fingerprint != ClipFrames().spec.fingerprint


def test_a_changed_byte_of_the_weights_is_refused_with_both_hashes(copied):
    path = copied / "clip" / "model.safetensors"
    expected = file_sha256(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtefactError) as caught:
        Clip().pooled(PICTURE)
    assert expected in str(caught.value)
    assert file_sha256(path) in str(caught.value)


def test_a_changed_setting_is_refused_with_both_hashes(copied):
    path = copied / "clip" / "preprocessor_config.json"
    expected = file_sha256(path)
    path.write_text(path.read_text() + " ")
    with pytest.raises(ArtefactError, match=f"{expected}.*{file_sha256(path)}"):
        Clip().prepare(PICTURE)


def test_missing_weights_say_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match="run kyomei fetch-weights clip"):
        _ = Clip().spec


def test_a_missing_package_says_the_extra(monkeypatch):
    monkeypatch.setattr(table, "_MINILM_PACKAGE", "no_such_package_is_here")
    with pytest.raises(DataError, match=r"minilm.*kyomei\[foundation\]"):
        _ = Minilm().spec


def test_minilm_is_the_published_file():
    found = find_checkpoint("minilm").weights
    found.verify()
    # https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, model.safetensors
    assert found.files["model/model.safetensors"].startswith("53aa51172d142c89d9012cce15ae4d6c")


def test_weights_of_another_network_are_refused(copied):
    shutil.copy(copied / "siglip" / "model.safetensors", copied / "clip" / "model.safetensors")
    digest = file_sha256(copied / "clip" / "model.safetensors")
    relisted(copied, "clip", **{"clip/model.safetensors": digest})
    with pytest.raises(ArtefactError, match=r"clip.*CLIPVisionModelWithProjection"):
        Clip().pooled(PICTURE)


def test_weights_of_another_size_are_refused_by_name(copied):
    path = copied / "clip" / "model.safetensors"
    tensors = load_tensors(path)
    tensors["visual_projection.weight"] = np.zeros((3, 16), dtype=np.float32)
    relisted(copied, "clip", **{"clip/model.safetensors": save_tensors(path, tensors)})
    with pytest.raises(ArtefactError, match=r"1 are missing .* such as visual_projection\.weight"):
        Clip().pooled(PICTURE)


@pytest.mark.parametrize("text", ["[1]", "{"])
def test_a_broken_configuration_is_refused(copied, text):
    path = copied / "clip" / "config.json"
    path.write_text(text)
    relisted(copied, "clip", **{"clip/config.json": file_sha256(path)})
    with pytest.raises(ArtefactError, match=r"expected .*JSON.*config\.json"):
        _ = Clip().spec


def test_a_file_that_the_manifest_does_not_list_is_not_read(copied):
    with pytest.raises(ArtefactError, match=r"expected a file 'other\.json'.*clip/config\.json"):
        find_checkpoint("clip").json("other.json")


@pytest.mark.parametrize(
    ("extractor", "media"),
    [
        ("vision.Clip", "Image(np.zeros((8, 8, 3), dtype=np.uint8))"),
        ("clap.Clap", "Audio(np.zeros(100, dtype=np.float32), 8000)"),
        ("sentences.MultilingualSentence", "Lyrics('the moon')"),
    ],
)
def test_a_front_end_loads_no_network_library(checkpoints, extractor, media):
    module, name = extractor.split(".")
    code = (
        f"import sys, numpy as np\n"
        f"from models.features.foundation.{module} import {name}\n"
        f"from models.types import Audio, Image, Lyrics\n"
        f"{name}().prepare({media})\n"
        f"assert {name}().spec.fingerprint\n"
        f"print(sorted({{'torch', 'transformers', 'huggingface_hub'}} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr
