import threading
import time

import pytest

from service.parallel import in_order


def test_results_come_in_the_order_of_the_values():
    def slow_first(value):
        time.sleep(0.02 if value == 0 else 0)
        return value * 10

    pairs = [
        (value, future.result()) for value, future in in_order(slow_first, range(9), workers=3)
    ]
    assert pairs == [(value, value * 10) for value in range(9)]


def test_an_error_comes_with_its_value_and_does_not_stop_the_rest():
    def inverse(value):
        return 1 / value

    outcomes = dict(in_order(inverse, [2, 0, 4], workers=2))
    assert outcomes[4].result() == 0.25
    with pytest.raises(ZeroDivisionError):
        outcomes[0].result()


def test_only_a_few_values_are_taken_ahead():
    taken = []

    def values():
        for value in range(100):
            taken.append(value)
            yield value

    stream = in_order(abs, values(), workers=2)
    next(stream)
    assert len(taken) <= 4
    stream.close()
    assert len(taken) <= 4


def test_as_many_threads_run_as_asked():
    meeting = threading.Barrier(3, timeout=10)
    assert len(list(in_order(lambda _: meeting.wait(), range(6), workers=3))) == 6


def test_nothing_in_nothing_out():
    assert list(in_order(abs, [], workers=2)) == []
