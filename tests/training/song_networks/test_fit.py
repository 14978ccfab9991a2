import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import DataError
from models.features.registry import extractor
from models.features.weights import read_weight_set
from models.media.load import load
from models.types import Modality
from tests.training.song_networks.tiny_triples import write_triples
from training.loops.objective import Moment
from training.song_networks import fit
from training.song_networks.config import SHIPPED_CONFIG, SongNetworksConfig
from training.song_networks.fit import NAMES, FitOptions, settle_norms, train_song_networks
from training.song_networks.objective import SongNetworksObjective
from training.song_networks.source import TripleSource
from training.song_networks.sung_words import SOUNDS
from training.song_networks.triples import pitch_class, read_triples

pytestmark = pytest.mark.slow
CONFIG = SongNetworksConfig(epochs=2, batch_size=8, threads=1, mixed_precision=False)


@pytest.fixture(scope="module")
def triples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triples")
    write_triples(folder)
    return folder


def options(out: Path, **changed) -> FitOptions:
    return FitOptions(out, workers=1, progress=False, **changed)


@pytest.fixture(scope="module")
def trained(triples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    train_song_networks([triples], CONFIG, options(out))
    return out


def test_weights_of_three_extractors_are_written(trained: Path) -> None:
    for name in NAMES.values():
        found = read_weight_set(trained, name)
        found.verify()
        assert found.details["n_train"] == 8
        assert found.details["triples"]["source"] == "tiny"
        assert "CC0" in found.licence
    assert not (trained / "checkpoint.safetensors").exists()


def test_validation_is_reported_for_every_epoch(trained: Path) -> None:
    figures = json.loads((trained / "validation.json").read_text())
    assert len(figures) == 2
    assert set(figures[-1]) == {
        "score to lyrics R@10",
        "score to voice MRR",
        "voice to score MRR",
        "voice to lyrics R@10",
        "score to sung MRR",
        "sung to score MRR",
        "sung to lyrics R@10",
    }


def test_the_same_seed_gives_the_same_weights(triples: Path, trained: Path, tmp_path: Path) -> None:
    train_song_networks([triples], CONFIG, options(tmp_path))
    for name in NAMES.values():
        assert read_weight_set(tmp_path, name).sha256 == read_weight_set(trained, name).sha256


def test_extractors_use_the_weights(
    triples: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYOMEI_WEIGHTS_DIR", str(trained))
    faces = {"song-score": "score", "song-audio": "voice", "song-lyrics": "lyrics"}
    modalities = {"score": Modality.SCORE, "voice": Modality.AUDIO, "lyrics": Modality.LYRICS}
    for name, face in faces.items():
        own = extractor(name)
        files = sorted((triples / "train" / face).iterdir())[:2]
        first, second = (load(file, modalities[face]) for file in files)
        row = own.pooled(first)
        assert row.shape == (own.spec.dimension,)
        assert np.isfinite(row).all()
        assert np.abs(row - own.pooled(second)).max() > 1e-4
        steps = own.sequence(first)
        assert steps.shape[1] == own.spec.sequence_dimension


def test_training_learns_the_training_triples(triples: Path, tmp_path: Path) -> None:
    config = SongNetworksConfig(
        epochs=12, batch_size=8, threads=2, augment=False, learning_rate=2e-3
    )
    train_song_networks([triples], config, options(tmp_path))
    history = json.loads((tmp_path / "history.json").read_text())
    shares = {
        "melody": 0.6,
        "heard notes": 0.9,
        "read notes": 0.9,
        "heard sounds": 0.99,
        "written sounds": 0.9,
    }
    for part, share in shares.items():
        assert history[-1][part] < share * history[0][part]


def test_prepared_arrays_are_kept(triples: Path, trained: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in (trained / "inputs").iterdir()}
    read_triples([triples], trained / "inputs", workers=1, progress=False)
    after = {path.name: path.stat().st_mtime_ns for path in (trained / "inputs").iterdir()}
    assert before == after
    assert len(before) == 4


def test_a_folder_that_lacks_an_excerpt_is_refused(
    triples: Path, trained: Path, tmp_path: Path
) -> None:
    lines = (triples / "triples.jsonl").read_text().splitlines()
    (tmp_path / "triples.jsonl").write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(DataError, match="song0"):
        read_triples([triples, tmp_path], trained / "inputs", workers=1, progress=False)


def test_what_begins_is_read_from_the_table(triples: Path, trained: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (triples / "triples.jsonl").read_text().splitlines()]
    rows[0]["notes"][3][3] = ""  # a melisma
    rows[1]["heads"].append([0.99, 60])  # one head more than notes: something is tied
    for part in triples.iterdir():
        if part.is_dir():
            (tmp_path / part.name).symlink_to(part)
    (tmp_path / "triples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_triples([tmp_path], trained / "inputs", workers=1, progress=False)
    begun = [1, 1, 1, 2, 1, 1, 1, 1]
    assert found.heads[0, :8, 2].tolist() == begun
    assert found.heads[1, :, 2].max() == 0
    assert found.onsets[0, :8, 1].tolist() == begun
    np.testing.assert_allclose(found.onsets[0, :8, 0], np.arange(8) / 8)
    assert found.onsets[0, 8:].max() == 0
    assert int((found.starts[1] == 2).sum()) == 8


def test_an_instrument_says_nothing_and_a_singer_names_her_phones(
    triples: Path, trained: Path
) -> None:
    found = read_triples([triples], trained / "inputs", workers=1, progress=False)
    played = replace(CONFIG, augment=False, shares=(1.0, 0.0, 0.0))
    sung = replace(CONFIG, augment=False, shares=(0.0, 0.0, 1.0))
    rng = np.random.default_rng
    (heard,) = TripleSource(found, played, "train").epoch(rng(0))
    (spoken,) = TripleSource(found, sung, "train").epoch(rng(0))
    silent = 1 + SOUNDS.index("pau")
    assert set(heard.labels["sounds"].flatten().tolist()) == {silent}
    assert not heard.labels["sung"].any()
    numbers = rng(0).permutation(found.of_split("train"))
    for row, number in enumerate(numbers):
        phones = found.rows[number]["phones"]
        named = spoken.labels["sounds"][row]
        for place in (3, 100, 200):
            seconds = (place + 0.5) * 4.0 / 256
            (name,) = [name for name, start, end in phones if start <= seconds < end]
            assert named[place] == 1 + SOUNDS.index(name)
        written = [note[2] for note in found.rows[number]["notes"]]
        sounding = [pitch - 12 for pitch in written]  # 72 is above the voice, so all are lower
        assert heard.labels["melody"][row, 8::16].tolist() == [pitch_class(p) for p in written]
        assert spoken.labels["melody"][row, 8::16].tolist() == [pitch_class(p) for p in sounding]


def test_triples_without_singing_have_no_sounds_of_letters(tmp_path: Path) -> None:
    write_triples(tmp_path, renditions=("voice",))
    found = read_triples([tmp_path], tmp_path / "inputs", workers=1, progress=False)
    assert found.letters.max() == 0
    (batch,) = TripleSource(found, replace(CONFIG, augment=False), "train").epoch(
        np.random.default_rng(0)
    )
    parts = SongNetworksObjective(CONFIG).loss(batch, Moment(0.0, 0))
    assert float(parts["written sounds"].detach()) == 0.0
    assert "speech" not in parts


def test_norms_are_settled_on_undisturbed_triples(triples: Path, trained: Path) -> None:
    found = read_triples([triples], trained / "inputs", workers=1, progress=False)
    objective = SongNetworksObjective(CONFIG)
    norm = objective.lyrics.prosody.norm
    assert norm.running_mean is not None
    norm.running_mean.fill_(100.0)
    source = TripleSource(found, replace(CONFIG, augment=False), "train")
    settle_norms(objective, source, seed=0)
    assert norm.momentum == 0.1
    assert objective.training
    objective.eval()
    seen: list[torch.Tensor] = []
    norm.register_forward_hook(lambda *call: seen.append(call[1][0]))
    with torch.no_grad():
        objective.words(torch.from_numpy(found.lyrics[found.of_split("train")]))
    torch.testing.assert_close(norm.running_mean, seen[0].mean(dim=0), atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(norm.running_var, seen[0].var(dim=0), atol=1e-6, rtol=1e-2)


def test_singing_without_phones_is_refused(triples: Path, trained: Path, tmp_path: Path) -> None:
    text = (triples / "triples.jsonl").read_text().replace('"phones"', '"other"')
    for part in triples.iterdir():
        if part.is_dir():
            (tmp_path / part.name).symlink_to(part)
    (tmp_path / "triples.jsonl").write_text(text)
    with pytest.raises(DataError, match="build the sung rendition again"):
        read_triples([tmp_path], trained / "inputs", workers=1, progress=False)


def test_the_shipped_configuration_is_one() -> None:
    from training.config import load_config

    assert load_config(SongNetworksConfig, SHIPPED_CONFIG).epochs >= 1


def test_a_stopped_run_goes_on_to_the_same_weights(
    triples: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = fit.validation_figures

    def stopping(*args, **options):
        if (tmp_path / "validation.json").exists():
            raise KeyboardInterrupt
        return figures(*args, **options)

    monkeypatch.setattr(fit, "validation_figures", stopping)
    with pytest.raises(KeyboardInterrupt):
        train_song_networks([triples], CONFIG, options(tmp_path))
    monkeypatch.undo()
    train_song_networks([triples], CONFIG, options(tmp_path, resume=True))
    for name in NAMES.values():
        assert read_weight_set(tmp_path, name).sha256 == read_weight_set(trained, name).sha256
    assert (tmp_path / "validation.json").read_text() == (trained / "validation.json").read_text()


def test_the_weights_are_those_of_the_best_epoch(
    triples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.2, 0.9, 0.1, 0.9])
    seen = []

    def told(objective, *args, **options):
        seen.append(objective.score.prosody.exit.weight.detach().clone())
        return {"figure": next(scores)}

    monkeypatch.setattr(fit, "validation_figures", told)
    config = replace(CONFIG, epochs=3)
    train_song_networks([triples], config, options(tmp_path))
    kept = read_weight_set(tmp_path, "song-score").tensors()["prosody.exit.weight"]
    np.testing.assert_allclose(kept, seen[1].numpy(), atol=1e-3)
    assert not np.allclose(kept, seen[2].numpy(), atol=1e-5)
