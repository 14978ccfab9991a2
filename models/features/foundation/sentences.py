"""Sentence encoders for lyrics: mean pooling over the tokens of a BERT (Reimers, Gurevych 2019)."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from models.errors import ArtefactError
from models.features.extractor import ExtractorSpec
from models.features.foundation.checkpoint_extractor import CheckpointExtractor
from models.features.foundation.checkpoints import CONFIG, SENTENCE
from models.features.foundation.published_network import load_network
from models.features.foundation.token_windows import MAX_LINES, PADDING, TokenWindows
from models.types import Int32Array, Lyrics, Modality

if TYPE_CHECKING:
    from torch import Tensor


class _Sentences(CheckpointExtractor[Lyrics]):
    """A row is the mean over all tokens of the text, of length 1; a step is a line."""

    name: ClassVar[str]

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        dimension = int(self.found.json(CONFIG)["hidden_size"])
        return ExtractorSpec(
            name=self.name,
            modality=Modality.LYRICS,
            dimension=dimension,
            sequence_dimension=dimension,
            parameters={
                "version": 1,
                "weights_sha256": self.found.weights.sha256,
                "max_lines": MAX_LINES,
            },
        )

    @cached_property
    def windows(self) -> TokenWindows:
        """The front end of the checkpoint."""
        config = self.found.json(CONFIG)
        if config.get("model_type") != "bert":
            raise ArtefactError(
                f"{self.found.folder}: expected a sentence encoder of type 'bert', found "
                f"{config.get('model_type')!r}"
            )
        return TokenWindows(self.found, int(self.found.json(SENTENCE)["max_seq_length"]))

    def prepare(self, media: Lyrics, *, sequence: bool = False) -> Int32Array:
        """Return token numbers of windows of the text, or of its lines, shape (P, tokens)."""
        return self.windows.lines(media.text) if sequence else self.windows.whole(media.text)

    def network(self, *, sequence: bool) -> "Callable[[Tensor], Tensor]":
        """Return the map from tokens to the sum over a window, or to unit rows of lines."""
        from torch.nn import functional

        bert = load_network(self.found, "BertModel", self.device)

        def run(tokens: "Tensor") -> "Tensor":
            there = tokens != PADDING
            longest = int(there.sum(dim=1).max())
            there, tokens = there[:, :longest], tokens[:, :longest].clamp(min=0).long()
            states = bert(input_ids=tokens, attention_mask=there.long()).last_hidden_state
            sums = (states * there[..., None]).sum(dim=1)  # (B, D)
            return functional.normalize(sums, dim=1)[:, None] if sequence else sums

        return run


class MultilingualSentence(_Sentences):
    """Extractor ``multilingual-sentence``: paraphrase-multilingual-MiniLM-L12-v2, 50 languages."""

    name = checkpoint = "multilingual-sentence"


class Minilm(_Sentences):
    """Extractor ``minilm``: all-MiniLM-L6-v2, English, inside a package of the extra."""

    name = checkpoint = "minilm"
