"""Which spaces are served, and which are refused with the repair."""

import dataclasses
import json
import shutil

import pytest

from models.errors import ArtefactError
from models.features.registry import extractor
from models.features.weights import WEIGHTS_DIR_VARIABLE, read_weight_set
from models.spaces import read_manifest, write_manifest
from models.types import Modality
from service.artefacts import find_spaces, served_pairs
from service.engine import Engine
from tests.contracts.foundation_checkpoints import write_checkpoints


@pytest.fixture
def space(world, tmp_path):
    return shutil.copytree(world.spaces / "everyday", tmp_path / "spaces" / "everyday")


def change_manifest(folder, **changes):
    write_manifest(folder, dataclasses.replace(read_manifest(folder), **changes))


def found(world, tmp_path):
    return find_spaces(world.settings(tmp_path / "data", spaces=(tmp_path / "spaces",)))


def test_a_folder_of_spaces_and_a_space_itself_may_be_named(world, tmp_path):
    both = find_spaces(world.settings(tmp_path))
    assert [space.name for space in both] == ["everyday", "songs"]
    one = find_spaces(world.settings(tmp_path, spaces=(world.spaces / "songs",)))
    assert [space.name for space in one] == ["songs"]


def test_a_space_knows_its_modalities_and_identity(world, tmp_path):
    everyday = find_spaces(world.settings(tmp_path))[0]
    assert everyday.modalities == (Modality.AUDIO, Modality.IMAGE, Modality.VIDEO)
    assert everyday.ref.fingerprint == everyday.manifest.fingerprint
    assert everyday.ref.n_components == everyday.manifest.n_components
    assert everyday.extractor_name(Modality.AUDIO) == "log-mel-statistics"


def test_pairs_of_several_spaces_are_joined(world, tmp_path):
    pairs = served_pairs(find_spaces(world.settings(tmp_path)))
    assert len(pairs) == 9 + 9 - 1
    assert pairs[Modality.AUDIO, Modality.AUDIO] == ["everyday", "songs"]
    assert pairs[Modality.LYRICS, Modality.SCORE] == ["songs"]
    assert (Modality.IMAGE, Modality.LYRICS) not in pairs


def test_no_space_at_all_is_refused_with_the_place_and_the_command(world, tmp_path):
    (tmp_path / "spaces").mkdir()
    with pytest.raises(ArtefactError, match=r"spaces, found none; train one .*KYOMEI_SPACES"):
        found(world, tmp_path)


def test_two_spaces_of_one_name_are_refused(world, tmp_path, space):
    shutil.copytree(space, tmp_path / "spaces" / "copy")
    with pytest.raises(ArtefactError, match="different names, got everyday, everyday"):
        found(world, tmp_path)


def test_another_extractor_is_refused_with_both_values_and_the_repair(world, tmp_path, space):
    views = list(read_manifest(space).views)
    views[0] = dataclasses.replace(views[0], extractor_fingerprint="0123456789abcdef")
    installed = read_manifest(space).views[0].extractor_fingerprint
    change_manifest(space, views=tuple(views))
    with pytest.raises(ArtefactError) as refusal:
        found(world, tmp_path)
    message = str(refusal.value)
    assert "0123456789abcdef" in message
    assert str(installed) in message
    assert "kyomei extract and kyomei train" in message


@pytest.mark.slow
def test_other_weights_than_those_of_training_are_refused_with_both_hashes(
    world, tmp_path, space, monkeypatch
):
    hashes: list[str] = []
    for name in ("trained", "installed"):
        write_checkpoints(tmp_path / name, seed=len(hashes))
        monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(tmp_path / name))
        hashes.append(read_weight_set(tmp_path / name, "clip").sha256)
        if name == "trained":
            trained_on_clip(space)
            assert [one.name for one in found(world, tmp_path)] == ["everyday"]
    assert len(set(hashes)) == 2
    with pytest.raises(ArtefactError) as refusal:
        found(world, tmp_path)
    was, now = hashes
    assert f"weights_sha256 was {was}, is {now}" in str(refusal.value)
    assert "kyomei extract and kyomei train" in str(refusal.value)


def trained_on_clip(folder):
    """Say in the manifest that the pictures were described by the CLIP that is installed now."""
    spec = extractor("clip").spec
    views = tuple(
        dataclasses.replace(view, extractor="clip", extractor_fingerprint=spec.fingerprint)
        if view.name == Modality.IMAGE
        else view
        for view in read_manifest(folder).views
    )
    parameters = {"image": dict(spec.parameters)}
    change_manifest(folder, views=views, extractor_parameters=parameters)


def test_features_from_elsewhere_cannot_be_served(world, tmp_path, space):
    views = list(read_manifest(space).views)
    views[1] = dataclasses.replace(views[1], extractor=None)
    change_manifest(space, views=tuple(views))
    with pytest.raises(ArtefactError, match="names no extractor"):
        found(world, tmp_path)


def test_views_without_a_modality_cannot_be_served(world, tmp_path, space):
    views = [dataclasses.replace(v, name=f"x{v.name}") for v in read_manifest(space).views]
    change_manifest(space, views=tuple(views))
    with pytest.raises(ArtefactError, match="got xaudio, ximage, xvideo"):
        found(world, tmp_path)


def test_a_broken_manifest_is_refused(world, tmp_path, space):
    (space / "manifest.json").write_text("{}")
    with pytest.raises(ArtefactError, match="format_version"):
        found(world, tmp_path)


def test_changed_weights_are_refused_when_opened(world, tmp_path, space):
    weights = space / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(ArtefactError):
        Engine.open(world.settings(tmp_path / "data", spaces=(space,)))
    # The data folder was released: a good space opens there.
    Engine.open(world.settings(tmp_path / "data", spaces=(world.spaces / "songs",))).close()


def test_an_index_of_another_space_is_refused_with_the_repair(world, copy_of_indexed, space):
    manifest = json.loads((space / "manifest.json").read_text())
    manifest["method"] = "cca"
    (space / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match="kyomei reindex"):
        Engine.open(world.settings(copy_of_indexed, spaces=(space, world.spaces / "songs")))
