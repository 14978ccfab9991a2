"""One torch thread in the test process: tiny networks are slower and less repeatable with more."""

import pytest
import torch

from tests.postgresql import running_postgresql

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def postgresql():
    """A real PostgreSQL, started when the first test asks for it."""
    with running_postgresql() as server:
        yield server
