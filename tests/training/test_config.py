"""Configurations from TOML and assignments; mistakes are named."""

from dataclasses import dataclass

import pytest

from models.errors import DataError
from training.config import load_config


@dataclass(frozen=True)
class Example:
    rates: tuple[float, ...] = (0.1,)
    size: int = 3
    refit: bool = True
    name: str = "x"
    weight: float = 1.0


def test_defaults_then_file_then_assignments(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('size = 5\nname = "file"\nrates = [1, 2.5]\n')
    found = load_config(Example, path, ["size=7", "refit = false", "weight=2"])
    assert found == Example(rates=(1.0, 2.5), size=7, refit=False, name="file", weight=2.0)
    assert isinstance(found.weight, float)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("sise=3", "unknown configuration key 'sise'.*size"),
        ("size=2.5", "expected int for 'size', got float"),
        ("size=true", "expected int"),
        ("weight=true", "expected float"),
        ('rates=["a"]', "expected float for 'rates'"),
        ("size", "expected KEY=VALUE"),
    ],
)
def test_a_wrong_assignment_is_refused(assignment, message):
    with pytest.raises(DataError, match=message):
        load_config(Example, None, [assignment])


@pytest.mark.parametrize("text", ["size = ", None])
def test_an_unreadable_file_is_refused(tmp_path, text):
    path = tmp_path / "c.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=r"c\.toml"):
        load_config(Example, path)
