"""Names of methods and of the settings that ship."""

import pytest

from models.errors import DataError
from training.loops.registry import RECIPES
from training.presets import FOLDER, PRESETS, method_of, named_methods, preset_path


def test_all_names_every_method_and_every_preset_behind_its_method():
    labels = named_methods("all")
    assert set(labels) == {*RECIPES, *PRESETS}
    assert labels.index("tnn-c-cca@published") == labels.index("tnn-c-cca") + 1


def test_a_list_keeps_its_order_and_names_each_once():
    assert named_methods("c-cca, cca,c-cca") == ("c-cca", "cca")


@pytest.mark.parametrize("label", PRESETS)
def test_every_preset_has_a_file_that_its_method_takes(label):
    method, _, config = method_of(label)
    assert preset_path(label) in list(FOLDER.iterdir())
    assert config != method_of(method)[2]


def test_every_file_of_settings_is_a_preset():
    assert len(list(FOLDER.glob("*.toml"))) == len(PRESETS)


def test_the_published_triplet_network_is_that_of_the_paper():
    _, _, config = method_of("tnn-c-cca@published")
    assert (config.hidden, config.n_components, config.margin) == ((100, 100, 100), 10, 0.5)
    assert (config.activation, config.mining, config.exclude_partner) == ("tanh", "all", True)
    assert (config.beta, config.learning_rate, config.both_directions) == (0.2, 1e-3, False)


def test_the_released_vae_has_the_weights_of_the_code():
    _, _, config = method_of("vae-cca@released")
    weights = (config.elbo, config.classification, config.likeness, config.pair, config.centre)
    assert weights == (1e-4, 1.0, 1e-3, 0.1, 0.01)
    assert (config.loss, config.latent, config.share_latent) == ("released", 64, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "methods"), (" , ", "methods"), ("nothing", "unknown method"), ("cca@new", "preset")],
)
def test_unknown_names_are_refused(text, said):
    with pytest.raises(DataError, match=said):
        named_methods(text)
