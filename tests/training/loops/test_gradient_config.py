"""The configuration that all gradient methods share."""

import pytest

from models.errors import DataError
from training.config import load_config
from training.loops.gradient_config import GradientConfig


@pytest.mark.parametrize(
    "values",
    [
        {"n_components": 0},
        {"epochs": 0},
        {"patience": 0},
        {"batch_size": 1},
        {"dropout": 1.0},
        {"input_dropout": -0.1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"input_noise": -1.0},
        {"batches_per_epoch": -1},
        {"weight_decay": -0.1},
        {"gradient_clip": -1.0},
        {"hidden": ()},
        {"hidden": (8, 0)},
        {"activation": "square"},
        {"normalisation": "group"},
        {"schedule": "step"},
        {"device": "tpu"},
        {"log": "mlflow"},
    ],
)
def test_a_value_that_cannot_be_trained_with_is_refused_by_name(values):
    (name, value), *_ = values.items()
    with pytest.raises(DataError, match=name) as caught:
        GradientConfig(**values)
    assert str(value) in str(caught.value)


def test_zero_alone_means_no_hidden_layer():
    assert GradientConfig(hidden=(0,)).widths == ()
    assert GradientConfig(hidden=(8, 4)).widths == (8, 4)


def test_it_is_read_from_toml(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('hidden = [8, 4]\nlearning_rate = 1\nschedule = "constant"\n')
    found = load_config(GradientConfig, path, ["epochs=2"])
    assert found == GradientConfig(hidden=(8, 4), learning_rate=1.0, schedule="constant", epochs=2)


def test_a_bad_value_in_toml_is_refused_by_name():
    with pytest.raises(DataError, match=r"widths >= 1.*hidden"):
        load_config(GradientConfig, None, ["hidden=[]"])
