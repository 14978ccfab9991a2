import io
import json
import logging
import os
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
import soundfile

from models.errors import DataError
from models.features.registry import extractor
from models.media.limits import MediaLimits
from models.media.load import load
from models.types import Modality
from tests.weightless import WEIGHTLESS
from training.datasets.example import Example, ListedDataset
from training.datasets.feature_file import read_feature_file
from training.datasets.folder import open_folder
from training.extraction import ExtractionOptions, extract

AUDIO, IMAGE = Modality.AUDIO, Modality.IMAGE
ONE_WORKER = ExtractionOptions(extractors=WEIGHTLESS, workers=1)


def wave(seed):
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, 4000)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 8000, format="WAV")
    return buffer.getvalue()


def picture(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


SPLITS = ("train", "train", "validation", "test")


def examples(n=8, *, broken=()):
    return [
        Example(
            f"clip{row}",
            modality,
            ("dog", "cat")[row % 2],
            SPLITS[row % 4],
            data=b"damaged" if (modality, row) in broken else make(row),
        )
        for modality, make in ((AUDIO, wave), (IMAGE, picture))
        for row in range(n)
    ]


def dataset(listed=None, classes=("cat", "dog")):
    return ListedDataset(
        "mine", "CC0", "me, 2024", classes, True, tuple(examples() if listed is None else listed)
    )


@pytest.fixture
def out(tmp_path):
    return tmp_path / "f.h5"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Extract the small data set once, with two workers."""
    path = tmp_path_factory.mktemp("extracted") / "f.h5"
    return extract(dataset(), path, replace(ONE_WORKER, workers=2), progress=False)


def test_the_report_counts_rows(report):
    assert report.rows == {"audio": 8, "image": 8}
    assert report.failures == ()
    assert report.resumed == 0
    assert report.path.name == "f.h5"
    assert report.seconds > 0


def test_every_row_equals_what_its_extractor_says(report):
    data = read_feature_file(report.path)
    for name, make in (("audio", wave), ("image", picture)):
        reader = extractor(data.extractors[name][0])
        expected = [reader.pooled(load(make(row), Modality(name))) for row in range(8)]
        assert np.array_equal(data.views[name].features, expected)
        assert data.extractors[name] == (reader.spec.name, reader.spec.fingerprint)


def test_ids_labels_splits_and_words_reach_the_file(report):
    data = read_feature_file(report.path)
    audio = data.views["audio"]
    assert audio.ids.tolist() == [f"clip{row}" for row in range(8)]
    assert np.asarray(audio.labels).tolist() == [1, 0] * 4
    assert audio.split.tolist() == [*SPLITS] * 2
    assert data.classes == ("cat", "dog")
    assert data.paired
    assert (data.source, data.licence) == ("mine: me, 2024", "CC0")


def test_neither_the_number_of_workers_nor_an_old_file_changes_a_byte(report, out):
    out.write_bytes(b"an older file")

    extract(dataset(), out, ONE_WORKER, progress=False)

    assert out.read_bytes() == report.path.read_bytes()


def test_bad_files_are_skipped_and_reported(out, caplog):
    gone = Example("gone", IMAGE, "dog", "train", path=out.with_name("gone.png"))
    listed = [*examples(broken={(AUDIO, 2), (IMAGE, 5)}), gone]

    with caplog.at_level(logging.WARNING):
        report = extract(dataset(listed), out, ONE_WORKER, progress=False)

    assert report.rows == {"audio": 7, "image": 7}
    skipped = [(failure.view, failure.id) for failure in report.failures]
    assert skipped == [("audio", "clip2"), ("image", "clip5"), ("image", "gone")]
    assert all(failure.reason and failure.message for failure in report.failures)
    assert "skipped audio clip2" in caplog.text
    assert "clip2" not in read_feature_file(out).views["audio"].ids


def test_names_that_are_not_utf_8_are_extracted_and_reported(out, tmp_path, caplog):
    folder = tmp_path / "mine" / "audio"
    folder.mkdir(parents=True)
    names = (b"ok", b"z", b"\xff\xfe", b"\xff\xfd", b"y")
    for seed, name in enumerate(names):
        (folder / os.fsdecode(name + b".wav")).write_bytes(wave(seed))
    (folder / os.fsdecode(b"cut\xff.wav")).write_bytes(b"")

    with caplog.at_level(logging.WARNING):
        report = extract(open_folder(folder.parent), out, ONE_WORKER, progress=False)

    assert report.rows == {"audio": 5}
    ids = read_feature_file(out).views["audio"].ids.tolist()
    assert {"ok", "y", "z"} < set(ids)
    assert sum(name.startswith("\ufffd\ufffd") for name in ids) == 2
    assert [failure.id.startswith("cut\ufffd") for failure in report.failures] == [True]
    assert "skipped audio cut\ufffd" in caplog.text


class StopError(Exception):
    """Stands for the interruption of a run."""


def test_an_interrupted_run_goes_on_where_it_stopped(out, tmp_path, monkeypatch):
    listed = examples(broken={(AUDIO, 1)})
    extract(dataset(listed), tmp_path / "whole.h5", ONE_WORKER, progress=False)

    store = extract.__globals__["_store"]

    def stop_after_five(writer, outcome, class_numbers):
        if len(writer) == 5:
            raise StopError
        store(writer, outcome, class_numbers)

    with monkeypatch.context() as patch:
        patch.setattr("training.extraction._store", stop_after_five)
        with pytest.raises(StopError):
            extract(dataset(listed), out, ONE_WORKER, progress=False)
    assert not out.exists()

    report = extract(dataset(listed), out, ONE_WORKER, progress=False)

    assert report.resumed == 5
    assert [failure.id for failure in report.failures] == ["clip1"]
    assert out.read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.h5", "whole.h5"]


def test_a_fixed_number_of_steps_gives_sequences(out):
    extract(dataset(), out, replace(ONE_WORKER, steps=4), progress=False)

    views = read_feature_file(out).views
    assert views["audio"].features.shape[:2] == (8, 4)
    assert views["image"].features.shape[:2] == (8, 4)


def test_partial_rows_of_other_limits_are_refused(out):
    partial = out.with_name("f.h5.partial")
    partial.mkdir()
    (partial / "journal.jsonl").write_text(json.dumps({"settings": "others"}) + "\n")

    with pytest.raises(DataError, match="delete the folder to start anew"):
        extract(dataset(), out, ONE_WORKER, progress=False)


@pytest.mark.parametrize("limits", [MediaLimits(max_seconds=0.1), MediaLimits(max_bytes=10)])
def test_a_modality_without_one_readable_file_is_an_error(out, limits):
    options = replace(ONE_WORKER, limits=limits)

    with pytest.raises(DataError, match=r"audio: expected at least one readable file.*'clip0'"):
        extract(dataset(), out, options, progress=False)
    assert list(out.parent.iterdir()) == []


class Empty:
    """A data set without examples."""

    name = licence = citation = "none"
    classes = ()
    paired = False

    def examples(self):
        return ()


def test_an_empty_data_set_is_an_error(out):
    with pytest.raises(DataError, match="expected at least one example, found none"):
        extract(Empty(), out, progress=False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gradient-colour", "audio: expected an extractor of audio, found 'gradient-colour' of im"),
        ("none such", "none such"),
    ],
)
def test_an_extractor_that_does_not_fit_is_refused(out, name, message):
    with pytest.raises(DataError, match=message):
        extract(dataset(), out, ExtractionOptions(extractors={AUDIO: name}), progress=False)
    assert list(out.parent.iterdir()) == []


def test_a_modality_without_extractor_is_refused(out, monkeypatch):
    monkeypatch.delitem(extract.__globals__["DEFAULT_EXTRACTORS"], IMAGE)

    with pytest.raises(DataError, match="image: expected the name of an extractor"):
        extract(dataset(), out, progress=False)


def test_a_folder_of_media_becomes_a_feature_file(out, tmp_path):
    for name, content in (("audio/{}/{}.wav", wave), ("image/{}/{}.png", picture)):
        for row in range(12):
            path = tmp_path / "media" / name.format("ab"[row % 2], row)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content(row))

    extract(open_folder(tmp_path / "media"), out, ONE_WORKER, progress=False)

    data = read_feature_file(out)
    assert data.classes == ("a", "b")
    rows_a, rows_b = data.true_pairs("audio", "image")
    assert len(rows_a) == 12
    assert data.views["audio"].split[rows_a].tolist() == data.views["image"].split[rows_b].tolist()
