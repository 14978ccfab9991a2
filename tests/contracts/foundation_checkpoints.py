"""Tiny checkpoints with random weights, written by the classes that write the published ones."""

import json
from pathlib import Path
from typing import Any

from models.features.weights import WeightSet, file_sha256, write_manifest

_LAYERS: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "moon", "the", "up", "and", "so", "am", "i", "is"]
_LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
SENTENCE_TOKENS = 12  # tokens of a window, so that a short text has several


def write_checkpoints(root: Path, *, seed: int = 0) -> None:
    """Write every checkpoint of the extra ``foundation`` as ``NAME/`` and ``NAME.json``."""
    import torch

    torch.manual_seed(seed)
    for name, write in _WRITERS.items():
        folder = root / name
        folder.mkdir(parents=True)
        write(folder)
        files = {f"{name}/{path.name}": file_sha256(path) for path in folder.iterdir()}
        write_manifest(WeightSet(name, root, files, "written by the tests", "CC0-1.0"))


def _clap(folder: Path) -> None:
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    audio = {
        "patch_embeds_hidden_size": 4, "hidden_size": 32, "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 1, 2, 2], "num_hidden_layers": 4, "spec_size": 256,
        "projection_dim": 8,
    }  # fmt: skip
    text = {**_LAYERS, "num_attention_heads": 2, "vocab_size": 30, "projection_dim": 8}
    config = ClapConfig(audio_config=audio, text_config=text, projection_dim=8)
    ClapModel(config).save_pretrained(folder)
    front_end: Any = ClapFeatureExtractor(
        frequency_min=50, truncation="rand_trunc", padding="repeatpad"
    )
    front_end.save_pretrained(folder)


def _clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    heads = {"num_attention_heads": 2, "projection_dim": 8}
    config = CLIPConfig(
        text_config={**_LAYERS, **heads, "vocab_size": 30},
        vision_config={**_LAYERS, **heads, "image_size": 32, "patch_size": 8},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


def _siglip(folder: Path) -> None:
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    heads = {"num_attention_heads": 2}
    config = SiglipConfig(
        text_config={**_LAYERS, **heads, "vocab_size": 30},
        vision_config={**_LAYERS, **heads, "image_size": 32, "patch_size": 8},
    )
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)


def _sentence(folder: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    continued = [f"##{letter}" for letter in _LETTERS]
    words = {word: number for number, word in enumerate([*_WORDS, *_LETTERS[:8], *continued])}
    tokenizer: Any = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(5)  # as published ones have it; we cut windows ourselves
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        **_LAYERS, num_attention_heads=2, vocab_size=len(words), max_position_embeddings=32
    )
    BertModel(config).save_pretrained(folder)
    settings = {"max_seq_length": SENTENCE_TOKENS, "do_lower_case": False}
    (folder / "sentence_bert_config.json").write_text(json.dumps(settings))


_WRITERS = {
    "clap": _clap,
    "clip": _clip,
    "siglip": _siglip,
    "multilingual-sentence": _sentence,
}
