"""How fast features are extracted, beside the bare forward pass of the same network.

    python benchmarks/extraction_speed.py SHARED_DATA_FOLDER [--extractors yamnet,vggish,...]
        [--items 60] [--workers 2] [--runs 3] [--device auto]

SHARED_DATA_FOLDER holds the packs of ../shared/data: sounds are the first clips of ``esc10.tar``
(5 s each), pictures of ``caltech101_subset.tar``, videos of ``videos_with_sound.tar``, texts those
of ``openscore_lieder.tar.xz``.

Prints one JSON object per extractor. ``pipeline_seconds``: from encoded bytes in memory to features
in order, decoded by ``--workers`` processes, networks on the device, as ``kyomei extract`` does it;
started processes and loaded weights, which cost once, are not counted. ``bare_seconds``: the same
network on ready tensors, in the same chunks, on as many threads (CPU) or in full batches (GPU).
``ratio`` is bare over pipeline: 1 would be decoding for nothing. All are medians of ``--runs`` runs
that take turns; ``ratio`` that of the pairs. ``per_second_per_core`` counts seconds of sound, or
items, by the workers (a GPU counts as it is). Extractors without a network have no bare pass.
Where no weights are found, random ones of the same shapes are used and ``weights`` says so: that
tells speed, nothing else.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import DataError, MediaError
from models.features.extractor import Pieces, runs_in_batches
from models.features.network_batch import GPU_PIECES
from models.features.registry import extractor
from models.features.weights import WEIGHTS_DIR_VARIABLE
from models.media.load import load
from models.types import Audio, Modality
from training.datasets.example import Example
from training.extraction_workers import ExtractionPool, WorkerSettings
from training.network_stage import CPU, NetworkOptions, NetworkStage, chosen_device

PACKS = {
    Modality.AUDIO: ("esc10.tar", ".ogg"),
    Modality.IMAGE: ("caltech101_subset.tar", ".jpg"),
    Modality.VIDEO: ("videos_with_sound.tar", ".mp4"),
    Modality.LYRICS: ("openscore_lieder.tar.xz", ".txt"),
}
BATCH = 64


def examples_of(data: Path, modality: Modality, count: int) -> list[Example]:
    """Encoded files of a pack, in memory; fewer files are taken again."""
    name, suffix = PACKS[modality]
    found: list[bytes] = []
    with tarfile.open(data / name) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(suffix) else None
            content = file.read() if file else b""
            if len(content) > 40 and len(found) < count:
                found.append(content)
    repeated = itertools.islice(itertools.cycle(found), count)
    return [Example(str(k), modality, data=content) for k, content in enumerate(repeated)]


class Bare:
    """The network of an extractor on tensors that are ready."""

    def __init__(self, reader: Any, pieces: list[Pieces], device: str, threads: int) -> None:
        import torch

        reader.to(device)
        self._network = reader.network(sequence=False)
        size = getattr(reader, "cpu_pieces", 1) if device == CPU else min(BATCH, GPU_PIECES)
        batch = np.concatenate(pieces)
        chunks = [batch[k : k + size] for k in range(0, len(batch), size)]
        self._chunks = [torch.from_numpy(chunk).to(device, copy=True) for chunk in chunks]
        self._threads = threads if device == CPU else 1
        self._device = device

    def __call__(self) -> None:
        """Run all chunks."""
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(self._run, self._chunks))

    def _run(self, chunk: Any) -> None:
        from models.networks.inference import fixed_inference

        with fixed_inference():
            self._network(chunk).cpu()


def seconds_of(job: Any) -> float:
    """Wall time of a job."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def measure(name: str, data: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Figures of one extractor."""
    reader: Any = extractor(name)
    modality = reader.spec.modality
    examples = examples_of(data, modality, arguments.items)
    media: list[Any] = [load(one.source, modality) for one in examples]
    amount = sum(one.duration_seconds if isinstance(one, Audio) else 1.0 for one in media)
    network = runs_in_batches(reader)
    device = chosen_device(arguments.device) if network else CPU
    pieces = [reader.prepare(one) for one in media] if network else []
    bare = Bare(reader, pieces, device, arguments.workers) if network else None
    del media
    stage = NetworkStage(
        {modality: reader} if network else {},
        NetworkOptions(device=device, batch=BATCH, threads=arguments.workers),
    )
    pairs: list[tuple[float | None, float]] = []
    ahead = 4 if network else 16
    settings = WorkerSettings({modality: name})
    with ExtractionPool(settings, workers=arguments.workers, ahead=ahead) as pool:

        def pipeline(some: list[Example] = examples) -> None:
            for outcome in stage.map(pool.map(some)):
                if isinstance(outcome.result, MediaError):
                    raise outcome.result

        pipeline(examples[: 2 * arguments.workers])  # processes start, weights are read
        if bare:
            bare()
        pairs += [
            (seconds_of(bare) if bare else None, seconds_of(pipeline))
            for _ in range(arguments.runs)
        ]
    median = statistics.median(after for _, after in pairs)
    cores = arguments.workers if device == CPU else 1
    result = {
        "extractor": name,
        "weights": weights_of(reader),
        "device": device,
        "items": len(examples),
        "unit": "seconds of sound" if modality == Modality.AUDIO else f"{modality} files",
        "amount": round(amount, 1),
        "pieces": sum(map(len, pieces)) if network else None,
        "pipeline_seconds": round(median, 3),
        "per_second_per_core": round(amount / median / cores, 2),
        "bare_seconds": None,
        "ratio": None,
    }
    if bare:
        result["bare_seconds"] = round(statistics.median(b or 0.0 for b, _ in pairs), 3)
        result["ratio"] = round(statistics.median((b or 0.0) / after for b, after in pairs), 3)
    return {**result, **machine(arguments, device)}


def weights_of(reader: Any) -> str | None:
    """Hash of the weights, or that they are random."""
    digest = reader.spec.parameters.get("weights_sha256")
    found = getattr(reader, "weights", None) or getattr(
        getattr(reader, "found", None), "weights", None
    )
    if found is not None and "random" in found.source:
        return "random numbers of the same shapes: speed only"
    return None if digest is None else str(digest)


def machine(arguments: argparse.Namespace, device: str) -> dict[str, Any]:
    """What it ran on."""
    import torch

    return {
        "workers": arguments.workers,
        "runs": arguments.runs,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "processor": platform.processor() or platform.machine(),
        "gpu": torch.cuda.get_device_name() if device != CPU else None,
        "torch": torch.__version__,
    }


def with_random_weights(names: list[str], folder: Path) -> None:
    """Write random weights for the extractors that have none, and name the folder."""
    lacking = []
    for name in names:
        try:
            _ = extractor(name).spec
        except DataError:
            lacking.append(name)
    if lacking:
        from tests.contracts.extractor_weights import write_random_weights

        write_random_weights(folder)
        _write_published_sizes(folder, lacking)
        os.environ[WEIGHTS_DIR_VARIABLE] = str(folder)


def _write_published_sizes(folder: Path, lacking: list[str]) -> None:
    """CLIP and CLAP of the published sizes in place of the tests' tiny ones."""
    import json as text

    from transformers import ClapConfig, ClapModel, CLIPConfig, CLIPModel

    from training.weights.fetch import keep_checkpoint

    sizes: dict[str, Any] = {
        "clip": (CLIPModel, CLIPConfig(), {"size": 224, "crop_size": 224}),
        "clap": (ClapModel, ClapConfig(projection_dim=512), {}),
    }
    for name, (model, config, front_end) in sizes.items():
        if not any(one.startswith(name) for one in lacking):
            continue
        made = folder / f"{name}-made"
        model(config).save_pretrained(made)
        settings = text.loads((folder / name / "preprocessor_config.json").read_text())
        (made / "preprocessor_config.json").write_text(text.dumps({**settings, **front_end}))
        files = {path.name: path for path in made.iterdir()}
        keep_checkpoint(name, files, folder, source="random numbers", licence="CC0-1.0")


def results(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One result for each extractor."""
    names = arguments.extractors.split(",")
    with tempfile.TemporaryDirectory() as scratch:
        with_random_weights(names, Path(scratch))
        for name in names:
            yield measure(name, arguments.data, arguments)


def main() -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    names = "log-mel-statistics,yamnet,vggish,gradient-colour,mobilenet-v2,inception-v3,minilm"
    parser.add_argument("--extractors", default=names)
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="auto")
    for result in results(parser.parse_args()):
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
