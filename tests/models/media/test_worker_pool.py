from functools import partial

import pytest

from models.errors import DataError, MediaError
from models.features.registry import extractor
from models.media.worker_pool import WorkerPool, WorkerStartError


def _pool(setup, *, workers=1):
    return WorkerPool(setup, workers=workers, timeout_seconds=30.0, memory_bytes=4 * 2**30)


def test_the_function_that_setup_returns_answers():
    with _pool(partial(partial, int, base=2)) as pool:
        assert [pool.ask(digits) for digits in ("101", "110")] == [5, 6]


def test_an_error_that_is_raised_crosses_the_process_border():
    with _pool(partial(partial, extractor)) as pool:
        (worker,) = pool._all
        with pytest.raises(DataError, match="no such thing"):
            pool.ask("no such thing")
        assert pool.ask("log-mel-statistics").spec.name == "log-mel-statistics"
        assert pool._all == {worker}


def test_an_error_that_is_returned_is_raised():
    with (
        _pool(partial(partial, MediaError, "damaged")) as pool,
        pytest.raises(MediaError, match="half a file") as caught,
    ):
        pool.ask("half a file")
    assert caught.value.reason == "damaged"


def test_an_error_of_setup_is_told():
    with (
        _pool(partial(extractor, "no such thing")) as pool,
        pytest.raises(WorkerStartError, match=r"did not start: .*no such thing") as caught,
    ):
        pool.ask("la")
    assert "no such thing" in caught.value.cause


def test_any_other_error_costs_the_worker_and_one_question(caplog):
    with _pool(partial(partial, int)) as pool:
        (worker,) = pool._all
        with pytest.raises(MediaError, match="exit code 1") as caught:
            pool.ask("no number")
        assert caught.value.reason == "damaged"
        assert pool.ask("7") == 7
        assert worker not in pool._all
    assert "exit code 1; another takes its place" in caplog.text


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_worker_is_needed(workers):
    with pytest.raises(DataError, match="workers: expected at least 1"):
        _pool(partial(partial, int), workers=workers)
