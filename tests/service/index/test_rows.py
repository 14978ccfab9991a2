import numpy as np
import pytest

from models.errors import ShapeError
from service.index.rows import Rows, RowStore


def store_of(ids):
    store = RowStore(2)
    store.add(np.array(ids), np.array([[i, -i] for i in ids], np.float32))
    return store


def test_rows_are_sorted_by_id_whatever_the_order_of_adding():
    store = store_of([5, 1, 9])
    store.add(np.array([3]), np.array([[3, -3]], np.float32))
    rows = store.rows()
    assert rows.ids.tolist() == [1, 3, 5, 9]
    assert rows.vectors[:, 0].tolist() == [1, 3, 5, 9]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.add(np.array([100]), np.ones((1, 2), np.float32)),
        lambda store: store.add(np.array([2]), np.ones((1, 2), np.float32)),
        lambda store: store.remove(np.array([2])),
    ],
    ids=["append", "replace", "remove"],
)
def test_a_view_does_not_change_with_the_store(change):
    store = store_of([1, 2, 3])
    rows = store.rows()
    ids, vectors = rows.ids.copy(), rows.vectors.copy()
    change(store)
    assert np.array_equal(rows.ids, ids)
    assert np.array_equal(rows.vectors, vectors)


def test_views_of_one_generation_are_each_others_start_and_removal_begins_a_new_one():
    store = store_of(range(60))
    first = store.rows()
    for number in range(60, 200):
        store.add(np.array([number]), np.ones((1, 2), np.float32))
    second = store.rows()
    assert first.generation == second.generation
    assert np.array_equal(second.ids[:60], first.ids)
    store.remove(np.array([4]))
    assert store.rows().generation != second.generation


def test_largest_norm_bounds_every_vector():
    store = store_of([1, 4])
    assert store.rows().largest_norm == pytest.approx(np.hypot(4, 4))


def test_adding_nothing_changes_nothing():
    store = store_of([1])
    store.add(np.array([], np.int64), np.empty((0, 2), np.float32))
    assert len(store.rows()) == 1


def test_dimension_must_be_positive():
    with pytest.raises(ShapeError, match="at least 1"):
        RowStore(0)


@pytest.mark.parametrize("ids", [[3, 4, 5, 6], [1, 4, 9, 20]], ids=["no gaps", "gaps"])
def test_positions_of_ids_are_where_they_stand(ids):
    rows = store_of(ids).rows()
    asked = np.arange(25)
    expected = [ids.index(number) for number in asked if number in ids]
    assert rows.positions(asked).tolist() == expected
    assert rows.positions(np.array([ids[2]])).tolist() == [2]
    assert rows.positions(np.array([], np.int64)).tolist() == []
    assert Rows.empty(2).positions(asked).tolist() == []
