"""One torch thread in the test process: tiny networks are slower and less repeatable with more."""

import pytest
import torch

from tests.contracts.extractor_weights import small_networks, weights_in, write_random_weights
from tests.postgresql import running_postgresql

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory):
    """A folder with weights for every extractor that ships none, written once."""
    folder = tmp_path_factory.mktemp("weights")
    with small_networks():
        write_random_weights(folder)
    return folder


@pytest.fixture(scope="module")
def random_weights(weights_folder):
    """Every extractor works, on small inputs and random weights."""
    with small_networks(), weights_in(weights_folder):
        yield weights_folder


@pytest.fixture(scope="session")
def postgresql():
    """A real PostgreSQL, started when the first test asks for it."""
    with running_postgresql() as server:
        yield server
