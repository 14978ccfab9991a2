"""The commands as a user types them: files in, files out, exit code 2 for a mistake."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

import kyomei
from models.spaces import load_space
from tests.training.feature_sets import paired_features, unpaired_features
from training.cli import app
from training.datasets.feature_file import read_feature_file, write_feature_file
from training.evaluation.corrections import CORRECTIONS

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def features(tmp_path):
    write_feature_file(tmp_path / "f.h5", paired_features(seed=0))
    return tmp_path / "f.h5"


@pytest.mark.parametrize("method", ["cca", "c-cca"])
def test_train_then_evaluate_leaves_a_complete_artefact_folder(features, method):
    run = features.parent / "run"
    trained = _run("train", method, "--data", features, "--out", run)
    assert trained.exit_code == 0, trained.output
    assert f"kyomei evaluate {run}" in trained.output
    evaluated = _run("evaluate", run, "--data", features, "--json", features.parent / "m.json")
    assert evaluated.exit_code == 0, evaluated.output
    assert {p.name for p in run.iterdir()} == {
        "README.md", "history.json", "history.png", "manifest.json", "metrics.json",
        "recall.png", "weights.safetensors",
    }  # fmt: skip
    manifest, space = load_space(run)
    assert manifest.method == space.method == method
    assert manifest.metrics == json.loads((features.parent / "m.json").read_text())
    row = manifest.metrics["rows"][0]
    assert f"{row['value']:.3f} ({row['chance']:.3f})" in (run / "README.md").read_text()
    assert f"{row['value']:.3f} ({row['chance']:.3f})" in evaluated.output


def test_corrections_are_measured_where_they_are_asked_for(features):
    run, written = features.parent / "run", features.parent / "m.json"
    _run("train", "c-cca", "--data", features, "--out", run)
    done = _run("evaluate", run, "--data", features, "--json", written, "--corrections")
    assert done.exit_code == 0, done.output
    results = json.loads(written.read_text())
    plain = {
        (row["protocol"], row["query"], row["metric"]): row["value"] for row in results["rows"]
    }
    assert {row["correction"] for row in results["corrections"]} == set(CORRECTIONS)
    for row in results["corrections"]:
        without = plain[row["protocol"], row["query"], row["metric"]]
        assert row["value"] - row["gain"] == pytest.approx(without)
        assert f"{row['value']:.3f} ({row['gain']:+.3f})" in done.output


def test_the_same_seed_gives_the_same_weights(features):
    for name in ("a", "b"):
        _run("train", "c-cca", "--data", features, "--out", features.parent / name, "--seed", 3)
    first, second = (
        (features.parent / name / "weights.safetensors").read_bytes() for name in ("a", "b")
    )
    assert first == second


def test_an_evaluation_splits_as_the_training_did(tmp_path):
    data = paired_features(seed=0)
    for name, view in data.views.items():
        split = np.where(view.split == "validation", "train", view.split)
        data.views[name] = replace(view, split=split)
    write_feature_file(tmp_path / "f.h5", data)
    run = tmp_path / "run"
    _run("train", "c-cca", "--data", tmp_path / "f.h5", "--out", run, "--seed", 5)
    found = []
    for seed in ((), ("--seed", 5), ("--seed", 6)):
        _run("evaluate", run, "--data", tmp_path / "f.h5", "--split", "validation", *seed)
        found.append((run / "metrics.json").read_text())
    assert found[0] == found[1] != found[2]


def test_views_and_settings_are_taken_from_the_command_line(features):
    run = features.parent / "run"
    done = _run(
        "train", "c-cca", "--data", features, "--out", run, "--views", "visual, audio",
        "--set", "ridges=[2.0]", "--set", "betas=[0.2]", "--name", "mine",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    manifest, _ = load_space(run)
    assert [view.name for view in manifest.views] == ["visual", "audio"]
    assert (manifest.name, manifest.parameters["ridge"]) == ("mine", 2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "magic", "--data", "f.h5", "--out", "run"], "unknown method 'magic'"),
        (["train", "cca", "--data", "none.h5", "--out", "run"], "none.h5"),
        (["train", "cca", "--data", "f.h5", "--out", "run", "--views", "nose"], "expected views"),
        (["train", "cca", "--data", "f.h5", "--out", "run", "--set", "rigde=1"], "rigde"),
        (["train", "cca", "--data", "unpaired.h5", "--out", "run"], "true pairs"),
        (["evaluate", "nowhere", "--data", "f.h5"], "nowhere"),
        (["extract", "no-such-set", "--out", "g.h5"], "no-such-set"),
        (["extract", ".", "--out", "g.h5", "--extractor", "smell=x"], "MODALITY=NAME"),
        (["build-scenes", "--out", "s", "--count", "0"], "count"),
        (["train"], "Missing argument"),
        (["train", "cca", "--data", "f.h5", "--out", "run", "--seed", "-1"], "--seed"),
        (["train", "cca", "--data", "f.h5", "--out", "run", "--set", "ridges=1.0"], "a list"),
        (["train", "tnn-c-cca", "--data", "f.h5", "--out", "run", "--set", "order=x"], "quotes"),
        (["compare", "--data", "f.h5", "--methods", "cca", "--workers", "0"], "--workers"),
        (["compare", "--data", "f.h5", "--methods", "cca", "--seed", "-1"], "--seed"),
        (["compare", "--data", "f.h5", "--methods", "cca", "--folds", "0"], "--folds"),
        (["compare", "--data", "f.h5", "--methods", "cca", "--sweeps"], "add --out FOLDER"),
        (["compare", "--data", "f.h5", "--methods", "cca", "--json", "."], "a file for --json"),
        (["compare", "--data", "f.h5", "--methods", "cca", "--views", "audio"], "two views"),
        (["train", "cca", "--data", "f.h5", "--out", "f.h5/run"], "f.h5/run"),
        (["train", "cca", "--data", "f.h5", "--out", "run", "--set", "ridges=[]"], "ridges"),
        (["build-songs", "--out", "s", "--split", "nope"], "nope"),
    ],
)
def test_a_mistake_is_one_clear_message_and_exit_code_two(features, arguments, message):
    write_feature_file(features.parent / "unpaired.h5", unpaired_features(seed=0))
    run = subprocess.run(
        [sys.executable, str(ROOT / "kyomei.py"), *arguments],
        capture_output=True, text=True, check=False, cwd=features.parent,
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    assert message in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert not (features.parent / "run").exists()


def _write_media(folder, n_items=12):
    """Tones and pictures of two classes, in the layout of a folder data set."""
    for item in range(n_items):
        label = ("low", "high")[item % 2]
        (folder / "audio" / label).mkdir(parents=True, exist_ok=True)
        (folder / "image" / label).mkdir(parents=True, exist_ok=True)
        t = np.arange(8000) / 8000
        tone = 0.5 * np.sin(2 * np.pi * (200 if label == "low" else 1500) * (1 + item / 50) * t)
        soundfile.write(folder / "audio" / label / f"{item:02d}.wav", tone, 8000)
        colour = (200, 20 + item, 20) if label == "low" else (20, 20 + item, 200)
        Image.new("RGB", (32, 24), colour).save(folder / "image" / label / f"{item:02d}.png")


@pytest.mark.slow
def test_a_folder_of_media_becomes_features_and_a_bad_file_is_named(tmp_path):
    _write_media(tmp_path / "media")
    (tmp_path / "media" / "image" / "low" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    done = _run("extract", tmp_path / "media", "--out", tmp_path / "f.h5", "--workers", 1)
    assert done.exit_code == 0, done.output
    assert "broken" in done.output
    data = read_feature_file(tmp_path / "f.h5")
    assert {name: len(view) for name, view in data.views.items()} == {"audio": 12, "image": 12}
    assert data.extractors["audio"][0] == "everyday-audio"
    assert data.classes == ("high", "low")
    assert data.paired


def test_scenes_are_built_extracted_and_opened_by_name(tmp_path):
    built = _run("build-scenes", "--out", tmp_path / "s", "--count", 2, "--seed", 3, "--workers", 1)
    assert built.exit_code == 0, built.output
    assert len(list((tmp_path / "s").rglob("*.mp4"))) == 2
    done = _run(
        "extract", "scenes", "--root", tmp_path / "s", "--out", tmp_path / "f.h5",
        "--extractor", "audio=log-mel-statistics", "--workers", 1,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "2 video" in done.output


def test_songs_are_built_from_the_installed_corpus(tmp_path):
    done = _run("build-songs", "--out", tmp_path, "--split", "test", "--limit", 2, "--workers", 1)
    assert done.exit_code == 0, done.output
    for modality, suffix in (("score", "musicxml"), ("lyrics", "txt"), ("audio", "flac")):
        assert len(list((tmp_path / "test" / modality).rglob(f"*.{suffix}"))) == 2


def test_a_finished_demo_is_not_built_again(tmp_path):
    (tmp_path / "complete").touch()
    assert _run("build-demo", "--out", tmp_path).exit_code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["complete"]


def test_the_kyomei_command_mounts_the_commands_of_both_packages():
    shown = CliRunner().invoke(kyomei.app, ["--help"]).output
    for command in ("train", "evaluate", "extract", "index", "serve", "search", "demo"):
        assert command in shown


def test_compare_writes_the_results_and_a_report(features):
    report, results = features.parent / "report", features.parent / "results.json"
    run = _run(
        "compare", "--data", features, "--methods", "mean-cca,c-cca", "--folds", 2,
        "--workers", 1, "--json", results, "--out", report,
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    assert "c-cca" in run.output
    rows = json.loads(results.read_text())["rows"]
    assert {row["method"] for row in rows} == {"mean-cca", "c-cca"}
    assert {"report.md", "results.csv", "table.tex", "runs"} <= {p.name for p in report.iterdir()}


def test_compare_without_a_report_prints_the_table(features):
    run = _run("compare", "--data", features, "--methods", "mean-cca", "--folds", 1, "--workers", 1)
    assert run.exit_code == 0, run.output
    assert "mean-cca" in run.output


def test_a_preset_a_search_and_hidden_labels_are_options_of_train(features):
    run = features.parent / "tnn"
    trained = _run(
        "train", "tnn-c-cca@published", "--data", features, "--out", run, "--set", "epochs=2",
        "--set", "cca_components=3", "--labelled-share", 0.5, "--search", 1,
    )  # fmt: skip
    assert trained.exit_code == 0, trained.output
    manifest, _ = load_space(run)
    assert manifest.method == "tnn-c-cca"
    assert manifest.parameters["mining"] == "all"
    assert manifest.parameters["epochs"] == 2


def test_an_interrupted_training_keeps_its_checkpoint_and_resumes(features, monkeypatch):
    from training.loops import network_recipe

    run, whole = features.parent / "cut", features.parent / "whole"
    arguments = (
        "train", "contrastive", "--data", features, "--set", "epochs=3", "--set", "hidden=[8]",
        "--set", "n_components=3",
    )  # fmt: skip
    assert _run(*arguments, "--out", whole).exit_code == 0

    def cut_off(self, epochs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(network_recipe._Run, "refit", cut_off)
        assert _run(*arguments, "--out", run).exit_code != 0
    assert sorted(p.name for p in run.iterdir()) == [
        "checkpoint_select.safetensors", "checkpoint_select_2.safetensors",
    ]  # fmt: skip
    assert _run(*arguments, "--out", run, "--resume").exit_code == 0
    assert (run / "weights.safetensors").read_bytes() == (
        whole / "weights.safetensors"
    ).read_bytes()
    assert not list(run.glob("checkpoint_*"))
