"""Reading of specifications: the right value, or an error that says what came."""

import json
import math

import pytest

from models.encoders.specification import share, size, sizes, value
from models.errors import ShapeError

SPECIFICATION = {
    "kind": "mlp", "name": "relu", "count": 3, "rate": 0.25, "sizes": [4, 2], "flag": True,
}  # fmt: skip


def test_entries_of_the_right_type_are_returned():
    assert value(SPECIFICATION, "name", str) == "relu"
    assert value(SPECIFICATION, "flag", bool) is True
    assert size(SPECIFICATION, "count") == 3
    assert sizes(SPECIFICATION, "sizes") == [4, 2]
    assert share(SPECIFICATION, "rate") == 0.25


@pytest.mark.parametrize(
    ("key", "kind"),
    [("missing", str), ("name", int), ("count", float), ("flag", int), ("count", bool)],
)
def test_a_missing_entry_or_another_type_is_refused(key, kind):
    with pytest.raises(ShapeError, match=f"expected {kind.__name__} for '{key}' of a mlp encoder"):
        value(SPECIFICATION, key, kind)


@pytest.mark.parametrize("found", [0, -4, 2.0, "3", None, True, [3]])
def test_a_size_is_a_whole_number_of_at_least_one(found):
    with pytest.raises(ShapeError, match=r"expected .* for 'hidden'"):
        size({"kind": "attention", "hidden": found}, "hidden")


@pytest.mark.parametrize(
    "found", [[], [4], [4, 0], [4, -1], [4, 2.0], [4, "2"], [4, True], [4, [2]], "42", None]
)
def test_sizes_are_two_or_more_whole_numbers_of_at_least_one(found):
    with pytest.raises(ShapeError, match=r"expected .* for 'sizes'"):
        sizes({"kind": "mlp", "sizes": found}, "sizes")


@pytest.mark.parametrize("found", [1.0, -0.1, math.nan, math.inf, 0, "0.5", None])
def test_a_share_is_a_number_from_zero_to_below_one(found):
    with pytest.raises(ShapeError, match=r"expected .* for 'dropout'"):
        share({"kind": "mlp", "dropout": found}, "dropout")


def test_values_survive_json():
    assert share(json.loads(json.dumps(SPECIFICATION)), "rate") == 0.25
