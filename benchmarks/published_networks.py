"""Do the published networks agree with the reference interpreter, and how fast are they?

    pip install 'kyomei[cpu,reference]'
    python benchmarks/published_networks.py agreement [--data ../shared/data] [--count 100]
    python benchmarks/published_networks.py accuracy [--data ../shared/data]
    python benchmarks/published_networks.py speed [--data ../shared/data] [--device cpu|cuda]

``agreement`` converts ``weights/*/*.tflite`` and compares with ``ai-edge-litert`` (XNNPACK, one
thread) on real clips (ESC-10, animal sounds, spoken digits) and images (tiny-imagenet,
Caltech-101), evenly spaced in the sorted names. JSON: for each comparison the cosines' minimum,
5th percentile, median, mean and the share of at least 0.99. Extractors are compared by their
pooled rows. ``same log-mel`` is the network alone, on the interpreter's own log-mel (all patches);
``8-bit layers written out`` is the converted network with the interpreter's rounding put in, see
``training/weights/eight_bit.py``; ``interpreter without XNNPACK`` compares the interpreter with
itself.

``accuracy`` prints what logistic regression (C = 0.1, standardised pooled rows) reaches: on ESC-10,
mean over its 4 given folds, each tested on a network fitted to the other three; on the pictures of
AV-11 with the split of ``av11_features.h5``, stretched whole (the extractor) and cropped to the
central 87.5 % (as published). Chance is the share of the largest class.

``speed`` prints for each extractor the median over paired runs, in items (patches or pictures) a
second on one thread: ``bare`` forward pass on ready tensors, ``features`` from decoded media,
``whole`` from files (decode, front end, network, in one process), their ratios to ``bare``, and
milliseconds of one query (a clip of 5 s, a picture) from file to row. VGGish and Inception V3 run
with random weights: speed does not depend on values.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.features.audioset_mel import MEL, PATCH_FRAMES, PATCH_SAMPLES, filled
from models.features.log_mel import resampled
from models.features.published.base import PublishedExtractor
from models.features.published.pictures import MobileNetV2Pictures
from models.features.registry import extractor
from models.features.weights import WEIGHTS_DIR_VARIABLE, write_weights
from models.media.limits import MediaLimits
from models.media.load import load
from models.networks.inception_v3 import InceptionV3
from models.networks.inference import fixed_inference
from models.networks.load import named_shapes
from models.networks.vggish import VGGish
from models.types import Audio, Image, Media, Modality
from training.weights.convert import convert_weights
from training.weights.eight_bit import RoundedMobileNetV2
from training.weights.tflite import read_tflite

Row = NDArray[np.float32]
YAMNET = "weights/yamnet_int8/yamnet.tflite"
MOBILENET = "weights/mobilenet_v2_int8/tf2_mobilenet_v2_1.0_224_ptq.tflite"
YAMNET_LOG_MEL, YAMNET_EMBEDDING = 89, 121  # tensors of the files
MOBILENET_EMBEDDING = 172
HOP = PATCH_FRAMES // 2


def main() -> None:
    """Run one of the two parts and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["agreement", "accuracy", "speed"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch)
        os.environ[WEIGHTS_DIR_VARIABLE] = scratch
        convert_weights("yamnet", [arguments.data / YAMNET], weights)
        convert_weights("mobilenet-v2", [arguments.data / MOBILENET], weights)
        if arguments.part == "agreement":
            found = agreement(arguments.data, arguments.count)
        elif arguments.part == "accuracy":
            found = {"esc10": esc10(arguments.data), "av11 pictures": av11(arguments.data)}
        else:
            found = speed(arguments.data, weights, arguments.device, arguments.runs)
    found["machine"] = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    found["torch"] = torch.__version__
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


# ------------------------------------------------------------------------------------ real media


def files_of(pack: Path, ending: str, count: int) -> Iterator[bytes]:
    """Members of a tar file with an ending, evenly spaced in the order of their names."""
    with tarfile.open(pack) as archive:
        names = sorted(name for name in archive.getnames() if name.endswith(ending))
        members = [names[k * len(names) // count] for k in range(count)]
        files = {}
        for member in archive:  # in the order of the file: an .xz is read once
            if member.name in members:
                content = archive.extractfile(member)
                files[member.name] = content.read() if content else b""
    return (files[name] for name in members)


def clips(data: Path, count: int) -> Iterator[bytes]:
    """Sounds: two fifths ESC-10, two fifths animals, one fifth spoken digits."""
    yield from files_of(data / "esc10.tar", ".ogg", 2 * count // 5)
    yield from files_of(data / "animal_sounds.tar", ".ogg", 2 * count // 5)
    yield from files_of(data / "fsdd.tar", ".flac", count - 2 * (2 * count // 5))


def images(data: Path, count: int) -> Iterator[bytes]:
    """Pictures: half tiny-imagenet, half Caltech-101."""
    yield from files_of(data / "tiny_imagenet_subset.tar.xz", ".JPEG", count // 2)
    yield from files_of(data / "caltech101_subset.tar", ".jpg", count - count // 2)


# ------------------------------------------------------------------------------------- agreement


class Reference:
    """A TFLite file in the interpreter, with every tensor kept."""

    def __init__(self, path: Path, *, plain: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        kinds = OpResolverType
        self._interpreter = Interpreter(
            model_path=str(path),
            num_threads=1,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=(
                kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if plain else kinds.AUTO
            ),
        )
        self._interpreter.allocate_tensors()
        self._scales = {
            one["index"]: one["quantization"] for one in self._interpreter.get_tensor_details()
        }

    def run(self, values: NDArray[Any], *tensors: int) -> list[Row]:
        """Real values of tensors for one input."""
        self._interpreter.set_tensor(0, values)
        self._interpreter.invoke()
        return [self._real(tensor) for tensor in tensors]

    def _real(self, tensor: int) -> Row:
        scale, zero = self._scales[tensor]
        values = self._interpreter.get_tensor(tensor).astype(np.float32)
        return values.copy() if scale == 0 else (values - zero) * np.float32(scale)


def cosine(one: Row, other: Row) -> float:
    """Cosine of two rows; 1 for two rows of zeros."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return 1.0 if lengths == 0.0 else float(np.dot(one.ravel(), other.ravel())) / lengths


def summary(cosines: Sequence[float]) -> dict[str, float]:
    """How close, over all items."""
    values = np.array(cosines)
    return {
        "n": len(values),
        "min": round(float(values.min()), 5),
        "p5": round(float(np.percentile(values, 5)), 5),
        "median": round(float(np.median(values)), 5),
        "mean": round(float(values.mean()), 5),
        "share_0.99": round(float((values >= 0.99).mean()), 3),
    }


def agreement(data: Path, count: int) -> dict[str, Any]:
    """Cosines of both networks with the interpreter."""
    return {
        "yamnet": yamnet_agreement(data, count),
        "mobilenet-v2": mobilenet_agreement(data, count),
    }


def yamnet_agreement(data: Path, count: int) -> dict[str, Any]:
    """Patches and pooled rows of clips."""
    subject: PublishedExtractor[Audio] = extractor("yamnet")  # type: ignore[assignment]
    reference, plain = Reference(data / YAMNET), Reference(data / YAMNET, plain=True)
    found: dict[str, list[float]] = {}
    for content in clips(data, count):
        audio = load(content, Modality.AUDIO, MediaLimits())
        samples = filled(resampled(audio, MEL.sample_rate_hz), hop_frames=HOP).astype(np.float32)
        starts = range(0, len(samples) - PATCH_SAMPLES + 1, HOP * MEL.hop_samples)
        windows = [samples[None, k : k + PATCH_SAMPLES] for k in starts]
        answers = [reference.run(one, YAMNET_LOG_MEL, YAMNET_EMBEDDING) for one in windows]
        theirs = np.concatenate([embedding for _, embedding in answers])
        same_mel = subject.forward([np.stack([mel for mel, _ in answers])], sequence=True)[0]
        other = np.concatenate([plain.run(one, YAMNET_EMBEDDING)[0] for one in windows])
        pooled = theirs.mean(axis=0)
        add(found, "same log-mel, patches", map(cosine, same_mel, theirs))
        for name in ("yamnet", "yamnet-int8"):
            add(found, f"extractor {name}", [cosine(extractor(name).pooled(audio), pooled)])
        add(found, "interpreter without XNNPACK", [cosine(other.mean(axis=0), pooled)])
    return {name: summary(cosines) for name, cosines in found.items()}


def mobilenet_agreement(data: Path, count: int) -> dict[str, Any]:
    """Pooled rows of pictures, and of the pictures with rounded layers."""
    subject: PublishedExtractor[Image] = extractor("mobilenet-v2")  # type: ignore[assignment]
    reference = Reference(data / MOBILENET)
    plain = Reference(data / MOBILENET, plain=True)
    rounded = RoundedMobileNetV2(fresh_mobilenet(), read_tflite(data / MOBILENET))
    found: dict[str, list[float]] = {}
    for content in images(data, count):
        image = load(content, Modality.IMAGE, MediaLimits())
        pixels = subject.prepare(image)  # (1, 224, 224, 3)
        theirs = reference.run(pixels, MOBILENET_EMBEDDING)[0].ravel()
        with fixed_inference():
            ours = rounded(torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float())[0].numpy()
        add(found, "extractor mobilenet-v2", [cosine(subject.pooled(image), theirs)])
        add(found, "8-bit layers written out", [cosine(ours, theirs)])
        other = plain.run(pixels, MOBILENET_EMBEDDING)[0].ravel()
        add(found, "interpreter without XNNPACK", [cosine(other, theirs)])
    return {name: summary(cosines) for name, cosines in found.items()}


def fresh_mobilenet() -> Any:
    """A second network: hooks must not touch that of the extractor."""
    from models.features.published.base import build_network
    from models.features.weights import find_weights
    from models.networks.mobilenet_v2 import MobileNetV2

    return build_network(MobileNetV2, find_weights("mobilenet-v2"))


def add(found: dict[str, list[float]], name: str, cosines: Any) -> None:
    """Append to the list of a comparison."""
    found.setdefault(name, []).extend(cosines)


# -------------------------------------------------------------------------------------- accuracy


def classified(train: Row, labels: Sequence[Any], test: Row, truth: Sequence[Any]) -> float:
    """Share of test rows whose class logistic regression finds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return float(model.fit(train, labels).score(test, truth))


def esc10(data: Path) -> dict[str, float]:
    """Cross-validation over the folds that the names give."""
    with tarfile.open(data / "esc10.tar") as archive:
        names = sorted(name for name in archive.getnames() if name.endswith(".ogg"))
    clips_of = list(files_of(data / "esc10.tar", ".ogg", len(names)))
    labels = np.array([Path(name).parent.name for name in names])
    folds = np.array([Path(name).name[0] for name in names])
    found = {"chance": 0.1}
    for name in ("yamnet", "yamnet-int8"):
        subject = extractor(name)
        media = (load(one, Modality.AUDIO, MediaLimits()) for one in clips_of)
        rows = np.stack([subject.pooled(one) for one in media])
        scores = [
            classified(rows[folds != k], labels[folds != k], rows[folds == k], labels[folds == k])
            for k in np.unique(folds)
        ]
        found[name] = round(float(np.mean(scores)), 4)
    return found


def av11(data: Path) -> dict[str, float]:
    """The split of the feature file, on pictures stretched and cropped."""
    import h5py

    parts = ("train", "test")
    with h5py.File(data / "av11_features.h5") as file:
        names = {part: file[f"file_visual_{part}"].asstr()[:] for part in parts}
        labels = {part: file[f"lab_visual_{part}"][:] for part in parts}
        theirs = {part: file[f"visual_{part}"][:].astype(np.float32) for part in parts}
    wanted = {name for part in parts for name in names[part]}
    files: dict[str, bytes] = {}
    for pack in ("tiny_imagenet_subset.tar.xz", "caltech101_subset.tar"):
        with tarfile.open(data / pack) as archive:
            for member in archive:
                if member.name in wanted and (content := archive.extractfile(member)):
                    files[member.name] = content.read()
    largest = np.bincount(labels["test"]).max() / len(labels["test"])
    found = {"chance": round(float(largest), 4)}
    rows = {"av11_features.h5": theirs}
    for name, share in (("whole picture", None), ("central 87.5 %", 0.875)):
        subject = MobileNetV2Pictures()
        subject.share = share  # type: ignore[misc]
        rows[name] = {part: pooled(subject, files, names[part]) for part in parts}
    for name, of in rows.items():
        score = classified(of["train"], labels["train"], of["test"], labels["test"])
        found[name] = round(score, 4)
    return found


def pooled(subject: MobileNetV2Pictures, files: dict[str, bytes], names: Sequence[str]) -> Row:
    """A row for each picture."""
    media = (load(files[name], Modality.IMAGE, MediaLimits()) for name in names)
    return np.stack([subject.pooled(one) for one in media])  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------- speed


def speed(data: Path, weights: Path, device: str, runs: int) -> dict[str, Any]:
    """Rates of all networks on the same files."""
    for name, build in {"vggish": VGGish, "inception-v3": InceptionV3}.items():
        network = build()
        state = network.state_dict()
        tensors = {key: state[key].numpy() for key in named_shapes(network)}
        write_weights(weights, name, tensors, source="random", licence="none")
    sounds = list(files_of(data / "esc10.tar", ".ogg", 8))
    pictures = [
        *files_of(data / "caltech101_subset.tar", ".jpg", 16),
    ]
    rates = {
        "yamnet": rate("yamnet", sounds, device, runs),
        "yamnet-int8": rate("yamnet-int8", sounds, device, runs),
        "vggish": rate("vggish", sounds, device, runs),
        "mobilenet-v2": rate("mobilenet-v2", pictures, device, runs),
        "inception-v3": rate("inception-v3", pictures, device, runs),
    }
    return {"device": device, "threads": torch.get_num_threads(), "extractors": rates}


def rate(name: str, files: Sequence[bytes], device: str, runs: int) -> dict[str, Any]:
    """Medians over paired runs of the three ways through an extractor."""
    subject: PublishedExtractor[Any] = extractor(name)  # type: ignore[assignment]
    subject.to(device)
    modality = subject.spec.modality

    def decoded() -> list[Media]:
        return [load(one, modality, MediaLimits()) for one in files]

    media = decoded()
    pieces = [subject.prepare(one) for one in media]
    n_pieces = sum(map(len, pieces))
    ready = [torch.from_numpy(np.concatenate(pieces)).to(device)]
    ways: dict[str, Callable[[], Any]] = {
        "bare": lambda: bare(subject, ready[0]),
        "features": lambda: subject.forward([subject.prepare(one) for one in media]),
        "whole": lambda: subject.forward([subject.prepare(one) for one in decoded()]),
        "query": lambda: subject.pooled(load(files[0], modality, MediaLimits())),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for run in range(runs + 1):
        for way, call in ways.items():
            started = time.perf_counter()
            call()
            if run:  # the first one pays for loading
                seconds[way].append(time.perf_counter() - started)
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    result: dict[str, Any] = {
        f"{way}_per_second": round(n_pieces / medians[way], 1)
        for way in ("bare", "features", "whole")
    }
    for way in ("features", "whole"):
        paired = zip(seconds["bare"], seconds[way], strict=True)
        result[f"{way}_to_bare"] = round(statistics.median(a / b for a, b in paired), 3)
    if modality == Modality.AUDIO:
        audio_seconds = sum(one.duration_seconds for one in media)
        result["audio_seconds_per_second"] = round(audio_seconds / medians["whole"], 1)
    result["query_ms"] = round(1000 * medians["query"], 1)
    return result


def bare(subject: PublishedExtractor[Any], ready: torch.Tensor) -> None:
    """The forward pass on ready tensors, in the chunks of the extractor."""
    network = subject.network(sequence=False)
    size = subject.cpu_pieces if ready.device.type == "cpu" else 64
    with fixed_inference():
        for start in range(0, len(ready), size):
            network(ready[start : start + size])
    if ready.device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
