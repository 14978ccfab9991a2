"""Configurations from TOML and assignments; mistakes are named."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

import training
from models.errors import DataError
from training.config import load_config
from training.loops.registry import RECIPES

CONFIGS = Path(training.__file__).parent / "configs"


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
        ("rates=0.1", "a list such as .* for 'rates', got float"),
        ("name={a = 1}", "expected str for 'name', got dict"),
        ("size.b=1", "expected int for 'size', got dict"),
        ("name=word", "expected KEY=VALUE .*words in quotes.*got 'name=word'"),
        ("size", "expected KEY=VALUE"),
    ],
)
def test_a_wrong_assignment_is_refused(assignment, message):
    with pytest.raises(DataError, match=message):
        load_config(Example, None, [assignment])


@pytest.mark.parametrize("content", [b"size = ", b'name = "\xff"', None])
def test_an_unreadable_file_is_refused(tmp_path, content):
    path = tmp_path / "c.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"c\.toml"):
        load_config(Example, path)


def test_nothing_given_means_the_defaults():
    assert load_config(Example) == Example()


def test_the_later_of_two_assignments_counts():
    assert load_config(Example, None, ["size=1", "size=2"]).size == 2


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_configuration_that_ships_is_that_of_its_method(path):
    method = max(
        (name for name in RECIPES if path.stem.startswith(name.replace("-", "_"))), key=len
    )
    found = load_config(RECIPES[method].config, path)
    written = tomllib.loads(path.read_text())
    assert written
    for name, value in written.items():
        expected = tuple(value) if isinstance(value, list) else value
        assert getattr(found, name) == expected
