import os

import pytest

from models.features.weights import WEIGHTS_DIR_VARIABLE
from tests.contracts.foundation_checkpoints import write_checkpoints


@pytest.fixture(scope="package")
def checkpoints(tmp_path_factory):
    """The folder of tiny checkpoints, named in the environment as a user's folder is."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoints(folder)
    before = os.environ.get(WEIGHTS_DIR_VARIABLE)
    os.environ[WEIGHTS_DIR_VARIABLE] = str(folder)
    yield folder
    if before is None:
        del os.environ[WEIGHTS_DIR_VARIABLE]
    else:
        os.environ[WEIGHTS_DIR_VARIABLE] = before
