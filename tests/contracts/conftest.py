"""A real Milvus Lite for the backend that needs an address; it is started when first asked for."""

from dataclasses import replace

import pytest

from service.index.options import MilvusAddress
from service.index.registry import BACKENDS, open_milvus


@pytest.fixture(scope="session", autouse=True)
def milvus_lite(tmp_path_factory):
    address = MilvusAddress(str(tmp_path_factory.mktemp("milvus") / "lite.db"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            BACKENDS,
            "milvus",
            lambda dimension, options: open_milvus(dimension, replace(options, milvus=address)),
        )
        yield address
