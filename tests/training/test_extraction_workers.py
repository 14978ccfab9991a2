import io
import time
from typing import Any

import numpy as np
import pytest
import soundfile

from models.errors import DataError, MediaError
from models.features.registry import extractor
from models.features.steps import resample_steps
from models.media.limits import MediaLimits
from models.media.load import load
from models.types import Modality
from training.datasets.example import Example
from training.extraction_workers import (
    ExtractionPool,
    WorkerSettings,
    features_of,
)

AUDIO = Modality.AUDIO
SETTINGS = WorkerSettings({AUDIO: "log-mel-statistics"}, timeout_seconds=60.0)


def wave(seed=0, *, seconds=0.5):
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * 8000))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 8000, format="WAV")
    return buffer.getvalue()


def example(identifier="a", data=None):
    return Example(identifier, AUDIO, data=wave() if data is None else data)


class Reader:
    """An extractor for tests that answers, raises or misbehaves."""

    def __init__(self, behaviour):
        self.behaviour = behaviour

    def pooled(self, _media):
        return self.behaviour()


def array(result):
    assert isinstance(result, np.ndarray), result
    return result


def raising(error):
    def behaviour():
        raise error

    return behaviour


def test_outcomes_come_in_the_order_of_the_examples():
    examples = [example(str(n), wave(n, seconds=1.5 if n == 0 else 0.3)) for n in range(8)]
    broken = Example("broken", AUDIO, data=b"no sound at all")

    with ExtractionPool(SETTINGS, workers=2) as pool:
        outcomes = list(pool.map([*examples[:4], broken, *examples[4:]]))

    assert [o.example.id for o in outcomes] == [*"0123", "broken", *"4567"]
    assert isinstance(outcomes[4].result, MediaError)
    reader = extractor("log-mel-statistics")
    for outcome in outcomes[:4] + outcomes[5:]:
        expected = reader.pooled(load(outcome.example.source, AUDIO))
        assert np.array_equal(array(outcome.result), expected)


class Killer:
    """Unpickling this in a worker ends the worker, as a crash of a decoder does."""

    def __init__(self, program):
        self.program = program

    def __reduce__(self):
        return exec, (self.program,)


def hostile(identifier, program):
    one = example(identifier)
    object.__setattr__(one, "data", Killer(program))
    return one


def test_a_crash_costs_one_file():
    crash = hostile("crash", "import os; os.abort()")

    with ExtractionPool(SETTINGS, workers=1) as pool:
        outcomes = list(pool.map([example("a"), crash, example("b")]))

    first, lost, second = (outcome.result for outcome in outcomes)
    assert isinstance(lost, MediaError)
    assert lost.reason == "damaged"
    assert "exit code -6" in str(lost)
    assert np.array_equal(array(first), array(second))


def test_a_hang_costs_one_file():
    settings = WorkerSettings({AUDIO: "log-mel-statistics"}, timeout_seconds=1.0)
    hang = hostile("hang", "import time; time.sleep(600)")

    with ExtractionPool(settings, workers=1) as pool:
        lost, kept = (outcome.result for outcome in pool.map([hang, example()]))

    assert isinstance(lost, MediaError)
    assert lost.reason == "timeout"
    assert "within 1 s" in str(lost)
    assert isinstance(kept, np.ndarray)


def test_leaving_the_pool_ends_running_work_at_once():
    hang = hostile("hang", "import time; time.sleep(600)")
    pool = ExtractionPool(SETTINGS, workers=1)
    first = next(pool.map([example()]))
    assert isinstance(first.result, np.ndarray)
    started = time.monotonic()

    with pool:
        pool._threads.submit(pool._extract, hang)
        time.sleep(0.2)

    assert time.monotonic() - started < 10.0


def test_no_more_than_a_few_examples_are_taken_ahead():
    taken = []

    def many():
        for number in range(1000):
            taken.append(number)
            yield example(str(number), b"x")

    with ExtractionPool(SETTINGS, workers=1) as pool:
        next(pool.map(many()))

    assert len(taken) < 40


def test_an_extractor_that_cannot_be_built_stops_the_run():
    settings = WorkerSettings({AUDIO: "no such thing"})

    with (
        ExtractionPool(settings, workers=1) as pool,
        pytest.raises(DataError, match=r"could not start: .*no such thing"),
    ):
        list(pool.map([example()]))


def test_a_worker_that_dies_at_its_start_stops_the_run():
    lethal: Any = Killer("import os; os._exit(3)")

    with (
        ExtractionPool(WorkerSettings(lethal), workers=1) as pool,
        pytest.raises(DataError, match="could not start: exit code 3"),
    ):
        list(pool.map([example()]))


def test_a_file_that_needs_too_much_memory_costs_one_file(tmp_path):
    settings = WorkerSettings(SETTINGS.extractors, memory_bytes=2**20)
    long = Example("long", AUDIO, path=tmp_path / "long.wav")
    (tmp_path / "long.wav").write_bytes(wave(seconds=600.0))

    with ExtractionPool(settings, workers=1) as pool:
        (outcome,) = pool.map([long])

    assert isinstance(outcome.result, MediaError)
    assert outcome.result.reason == "too_large"


def test_a_pool_that_was_left_starts_no_worker():
    with ExtractionPool(SETTINGS, workers=1) as pool:
        (worker,) = pool._all

    with pytest.raises(RuntimeError, match="ExtractionPool, this one is closed"):
        pool.ask(example())
    assert pool._all == {worker}
    assert not worker.is_alive()


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_worker_is_needed(workers):
    with pytest.raises(DataError, match="expected at least 1"):
        ExtractionPool(SETTINGS, workers=workers)


def test_features_of_a_path_and_of_its_bytes_are_equal(tmp_path):
    path = tmp_path / "misnamed.jpg"
    path.write_bytes(wave())
    reader = extractor("log-mel-statistics")

    by_path = features_of(Example("a", AUDIO, path=path), reader, SETTINGS)

    assert np.array_equal(array(by_path), array(features_of(example(), reader, SETTINGS)))


def test_a_fixed_number_of_steps_is_the_resampled_sequence():
    settings = WorkerSettings(SETTINGS.extractors, steps=5)
    reader = extractor("log-mel-statistics")

    features = features_of(example(), reader, settings)

    expected = resample_steps(reader.sequence(load(wave(), AUDIO)), 5)
    assert np.array_equal(array(features), expected)
    assert expected.shape == (5, reader.spec.sequence_dimension)


def test_limits_are_kept():
    settings = WorkerSettings(SETTINGS.extractors, limits=MediaLimits(max_seconds=0.1))

    result = features_of(example(), extractor("log-mel-statistics"), settings)

    assert isinstance(result, MediaError)
    assert result.reason == "too_large"


@pytest.mark.parametrize(
    ("behaviour", "reason", "message"),
    [
        (raising(ValueError("odd shape")), "features", "ValueError: odd shape"),
        (raising(MemoryError()), "too_large", "at most 8.0 GiB"),
        (lambda: np.array([1.0, np.inf]), "features", "expected finite features"),
    ],
)
def test_an_extractor_that_fails_costs_one_file(behaviour, reason, message):
    reader: Any = Reader(behaviour)

    result = features_of(example(), reader, SETTINGS)

    assert isinstance(result, MediaError)
    assert result.reason == reason
    assert message in str(result)


@pytest.mark.parametrize("n_rows", [1, 2, 5, 7, 10, 23])
@pytest.mark.parametrize("steps", [1, 5])
def test_steps_are_means_of_equal_parts(n_rows, steps):
    sequence = np.random.default_rng(n_rows).normal(size=(n_rows, 3)).astype(np.float32)

    resampled = resample_steps(sequence, steps)

    assert resampled.shape == (steps, 3)
    assert resampled.dtype == np.float32
    for step in range(steps):
        rows = [r for r in range(n_rows) if step * n_rows < (r + 1) * steps]
        rows = [r for r in rows if r * steps < (step + 1) * n_rows]
        assert np.allclose(resampled[step], sequence[rows].mean(axis=0), atol=1e-6)


def test_no_worker_outlives_its_pool():
    with ExtractionPool(SETTINGS, workers=1) as pool:
        list(pool.map([example()]))
        (worker,) = pool._all
        process = worker._process
        assert process.is_alive()

    process.join(5.0)
    assert not process.is_alive()
