import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError
from training.datasets.feature_file import FeatureHeader, read_feature_file
from training.datasets.feature_writer import Failure, FeatureFileWriter, Row

HEADER = FeatureHeader(("dog", "cat"), "made up", "CC0", {"audio": ("log-mel", "ff00")})
SPLITS = ("train", "validation", "test", "train")
REPOSITORY = Path(__file__).parents[3]


def row(number, *, view="audio", split=True):
    return Row(view, f"{number:03d}", number % 2, SPLITS[number % 4] if split else None)


def numbers(number, shape=(3,)):
    return np.random.default_rng(number).normal(size=shape).astype(np.float32)


def fill(writer, rows, view="audio"):
    for number in rows:
        if (view, f"{number:03d}") not in writer:
            writer.append(row(number, view=view), numbers(number))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "f.h5"


@pytest.fixture
def partial(path):
    return path.with_name("f.h5.partial")


def expected_bytes(folder, rows=range(12)):
    """What one uninterrupted run writes."""
    with FeatureFileWriter(folder / "whole.h5", HEADER) as writer:
        fill(writer, rows)
        writer.finish()
    return (folder / "whole.h5").read_bytes()


def test_rows_become_a_feature_file(path, partial):
    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(12))
        for number in range(12):
            writer.append(row(number, view="video"), numbers(number, (4, 2)))
        assert writer.row_counts == {"audio": 12, "video": 12}
        writer.finish()

    data = read_feature_file(path)
    assert data.views["video"].features.shape == (12, 4, 2)
    assert np.array_equal(data.views["audio"].features, [numbers(n) for n in range(12)])
    assert data.views["audio"].ids.tolist() == [f"{n:03d}" for n in range(12)]
    assert np.asarray(data.views["audio"].labels).tolist() == [0, 1] * 6
    assert data.views["audio"].split.tolist() == [*SPLITS] * 3
    assert (data.classes, data.source, data.licence) == (("dog", "cat"), "made up", "CC0")
    assert data.extractors == {"audio": ("log-mel", "ff00")}
    assert not partial.exists()


def test_rows_without_label_and_split_leave_both_open(path):
    with FeatureFileWriter(path, HEADER) as writer:
        for number in range(9):
            writer.append(Row("audio", str(number)), numbers(number))
        writer.finish()

    view = read_feature_file(path).views["audio"]
    assert view.labels is None
    assert set(view.split) == {"train", "validation", "test"}


def test_a_second_writer_goes_on_and_ends_with_the_same_bytes(path, tmp_path):
    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(5))
    assert not path.exists()

    with FeatureFileWriter(path, HEADER) as writer:
        assert len(writer) == 5
        assert ("audio", "004") in writer
        assert ("audio", "005") not in writer
        fill(writer, range(12))
        writer.finish()

    assert path.read_bytes() == expected_bytes(tmp_path)


@pytest.mark.parametrize("cut", ["journal", "numbers", "half a line", "half a number", "no line"])
def test_whatever_a_kill_left_incomplete_is_written_again(path, partial, tmp_path, cut):
    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(6))
    journal, floats = partial / "journal.jsonl", partial / "audio.f32"
    lines = journal.read_bytes().splitlines(keepends=True)
    if cut == "journal":
        journal.write_bytes(b"".join(lines[:-2]))
    elif cut == "numbers":
        floats.write_bytes(floats.read_bytes()[: 3 * 12])
    elif cut == "half a line":
        journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:9])
    elif cut == "half a number":
        floats.write_bytes(floats.read_bytes() + b"\0\0")
    else:
        journal.write_bytes(lines[0])

    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(12))
        writer.finish()

    assert path.read_bytes() == expected_bytes(tmp_path)


@pytest.mark.parametrize("first_line", [b"", b'{"cla'])
def test_a_run_killed_before_its_first_line_starts_anew(path, partial, first_line, tmp_path):
    partial.mkdir(parents=True)
    (partial / "journal.jsonl").write_bytes(first_line)
    (partial / "audio.f32").write_bytes(b"left over")

    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(12))
        writer.finish()

    assert path.read_bytes() == expected_bytes(tmp_path)


def test_damage_inside_the_journal_keeps_what_lies_before_it(path, partial):
    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(6))
    journal = partial / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], b"\x00\x00\n", *lines[4:]]))

    with FeatureFileWriter(path, HEADER) as writer:
        assert len(writer) == 2


def test_a_killed_process_loses_at_most_the_row_being_written(path, tmp_path):
    program = (
        "import sys, pathlib\n"
        "from tests.training.datasets.test_feature_writer import HEADER, fill\n"
        "from training.datasets.feature_writer import FeatureFileWriter\n"
        "writer = FeatureFileWriter(pathlib.Path(sys.argv[1]), HEADER)\n"
        "for number in range(12):\n"
        "    fill(writer, [number])\n"
        "    if number == 7:\n"
        "        print('seven', flush=True)\n"
        "        sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"seven\n"
        os.kill(process.pid, signal.SIGKILL)

    with FeatureFileWriter(path, HEADER) as writer:
        assert len(writer) == 8
        fill(writer, range(12))
        writer.finish()
    assert path.read_bytes() == expected_bytes(tmp_path)


def test_failures_are_remembered(path):
    failure = Failure("audio", "bad", "damaged", "expected a WAV file, found “noise”")
    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(4))
        writer.skip(failure)

    with FeatureFileWriter(path, HEADER) as writer:
        assert writer.failures == (failure,)
        assert ("audio", "bad") in writer
        writer.finish()

    assert len(read_feature_file(path).views["audio"]) == 4


@pytest.mark.parametrize(
    ("header", "settings"),
    [
        (FeatureHeader(("dog",), "made up", "CC0", HEADER.extractors), ""),
        (FeatureHeader(("dog", "cat"), "made up", "CC0", {"audio": ("log-mel", "ff01")}), ""),
        (HEADER, "other limits"),
    ],
)
def test_partial_rows_of_another_run_are_refused(path, header, settings):
    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(2))

    with pytest.raises(DataError, match=r"f.h5.partial: .*delete the folder to start anew"):
        FeatureFileWriter(path, header, settings=settings)


def test_two_writers_at_once_are_refused(path):
    with (
        FeatureFileWriter(path, HEADER),
        pytest.raises(DataError, match="another process is writing"),
    ):
        FeatureFileWriter(path, HEADER)


@pytest.mark.parametrize(
    ("one", "features", "message"),
    [
        (row(0), numbers(1), "expected a new id, found '000' again"),
        (
            row(1),
            numbers(1, (4,)),
            r"audio/features: expected a row of shape \(3,\).*\(4,\).*'001'",
        ),
        (row(1), numbers(1, (1, 3)), r"audio/features: expected a row of shape \(3,\)"),
        (row(1), np.array([1.0, np.nan, 2.0], np.float32), "NaN or infinity for id '001'"),
        (row(1, view="video"), numbers(1, (1, 1, 1)), r"\(D,\) or \(T, D\)"),
        (row(1, view="video"), numbers(1, (0,)), r"video/features"),
        (row(1, view="a/b"), numbers(1), "expected a name without '/'"),
        (row(1, view=""), numbers(1), "expected a name without '/'"),
    ],
)
def test_rows_that_do_not_fit_are_refused(path, one, features, message):
    with FeatureFileWriter(path, HEADER) as writer:
        writer.append(row(0), numbers(0))
        with pytest.raises(DataError, match=message):
            writer.append(one, features)
        assert len(writer) == 1


def test_no_row_makes_no_file(path):
    with FeatureFileWriter(path, HEADER) as writer:
        with pytest.raises(DataError, match="expected at least one row, found none"):
            writer.finish()
        writer.discard()

    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("odd", "key"), [(Row("audio", "x", None, "train"), "labels"), (row(1, split=False), "split")]
)
def test_labels_and_splits_are_for_all_rows_or_none(path, odd, key):
    with FeatureFileWriter(path, HEADER) as writer:
        writer.append(row(0), numbers(0))
        writer.append(odd, numbers(1))
        with pytest.raises(DataError, match=f"audio/{key}: expected one for each of 2 rows"):
            writer.finish()


def test_the_journal_is_plain_json(path, partial):
    with FeatureFileWriter(path, HEADER, settings="limits") as writer:
        fill(writer, [0])

    header, line = map(json.loads, (partial / "journal.jsonl").read_text().splitlines())
    assert header["settings"] == "limits"
    assert line == {"view": "audio", "id": "000", "label": 0, "split": "train", "shape": [3]}


def test_thousands_of_rows_are_written_quickly(path):
    started = time.monotonic()
    with FeatureFileWriter(path, HEADER) as writer:
        fill(writer, range(2000))
        writer.finish()

    assert time.monotonic() - started < 10.0
    assert len(read_feature_file(path).views["audio"]) == 2000
