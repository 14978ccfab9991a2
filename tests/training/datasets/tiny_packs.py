"""The packs of the public data sets in miniature: the real names, a few generated files each."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import soundfile

ESC10 = ("001 - Dog bark", "003 - Sea waves", "007 - Helicopter", "009 - Rooster", "002 - Rain")
CALLS = {
    "dog": "dog",
    "cat": "cat",
    "bird": "Kus",
    "cow": "inek",
    "lion": "aslan",
    "sheep": "koyun",
    "frog": "kurbaga",
    "chicken": "tavuk",
    "monkey": "maymun",
}
SYNSETS = {
    "n01641577": "bullfrog, Rana catesbeiana",
    "n01644900": "tailed frog, bell toad",
    "n01855672": "goose",
    "n02002724": "black stork, Ciconia nigra",
    "n02056570": "king penguin, Aptenodytes patagonica",
    "n02058221": "albatross, mollymawk",
    "n02085620": "Chihuahua",
    "n02094433": "Yorkshire terrier",
    "n02099601": "golden retriever",
    "n02099712": "Labrador retriever",
    "n02106662": "German shepherd, German shepherd dog",
    "n02113799": "standard poodle",
    "n02123045": "tabby, tabby cat",
    "n02123394": "Persian cat",
    "n02124075": "Egyptian cat",
    "n02129165": "lion, king of beasts, Panthera leo",
    "n02403003": "ox",
    "n02415577": "bighorn, bighorn sheep",
    "n02480495": "orangutan, orang",
    "n02481823": "chimpanzee, chimp",
    "n02486410": "baboon",
    "n09428293": "seashore, coast",
}
N_CALLS = 10
N_PICTURES = 6


def write_packs(root: Path) -> Path:
    """Write all packs unpacked, as ``ROOT/PACK/...``, and the MNIST file beside them."""
    rng = np.random.default_rng(0)
    for label in ESC10:
        for fold in range(1, 5):
            write_sound(root / f"esc10/ESC-10/{label}/{fold}-100{label[2]}-A.ogg", rng)
    for animal, stem in CALLS.items():
        for number in range(1, N_CALLS + 1):
            path = root / f"animal_sounds/Animal-Sound-Dataset/{animal}/{stem}_{number}.ogg"
            write_sound(path, rng)
    tiny = root / "tiny_imagenet_subset/tiny-imagenet-200"
    for synset in SYNSETS:
        for number in range(N_PICTURES):
            path = tiny / f"train/{synset}/images/{synset}_{number}.JPEG"
            write_picture(path, rng)
    lines = [f"{synset}\t{names}\n" for synset, names in SYNSETS.items()]
    (tiny / "words.txt").write_text("".join(lines) + "n00000001\tentity\n")
    for label in ("helicopter", "rooster", "watch"):
        for number in range(N_PICTURES):
            folder = root / f"caltech101_subset/101_ObjectCategories/{label}"
            write_picture(folder / f"image_{number:04d}.jpg", rng)
    write_digits(root, rng)
    return root


def write_digits(root: Path, rng: np.random.Generator) -> None:
    """Write FSDD, three recordings of two digits by two speakers, and 7,002 MNIST digits."""
    for digit in (0, 7):
        for speaker in ("jackson", "lucas"):
            for index in (3, 5, 12):
                folder = root / "fsdd/free-spoken-digit-dataset/recordings"
                write_sound(folder / f"{digit}_{speaker}_{index}.flac", rng, seconds=0.4)
    images = np.zeros((7_002, 28, 28), np.uint8)
    images[:, 10:18, 10:18] = rng.integers(1, 256, (7_002, 8, 8))
    labels = (np.arange(7_002) % 10).astype(np.uint8)
    np.savez(root / "mnist_first8000.npz", images=images, labels=labels)


def write_songs(root: Path, windows: int = 8) -> Path:
    """Write a folder in the layout of ``build_songs``."""
    entries = []
    for number in range(windows):
        split = ("train", "train", "validation", "test")[number % 4]
        stem = f"bach/bwv{number}-bar001"
        files = {
            "score": f"{split}/score/{stem}.musicxml",
            "lyrics": f"{split}/lyrics/{stem}.txt",
            "audio": f"{split}/audio/{stem}.flac",
        }
        for path in files.values():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("la la la")
        entries.append({"id": stem, "split": split, "files": files})
    (root / "songs.json").write_text(json.dumps({"format": 1, "windows": entries}))
    return root


def write_triples(root: Path, renditions: Sequence[str], count: int = 8) -> Path:
    """Write a folder in the layout of ``build_triples``."""
    rows = []
    for number in range(count):
        split = ("train", "train", "validation", "test")[number % 4]
        stem = f"song{number}/song{number}-bar001"
        files = {"score": f"{split}/score/{stem}.png", "lyrics": f"{split}/lyrics/{stem}.txt"}
        files |= {one: f"{split}/{one}/{stem}.flac" for one in renditions}
        for path in files.values():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("la la la")
        keys = {"melody": stem, "words": stem}
        rows.append(json.dumps({"id": stem, "split": split, "files": files} | keys))
    (root / "triples.jsonl").write_text("\n".join(rows))
    return root


def write_sound(path: Path, rng: np.random.Generator, *, seconds: float = 0.5) -> None:
    """Write noise at 8 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, rng.uniform(-0.3, 0.3, int(8000 * seconds)), 8000)


def write_picture(path: Path, rng: np.random.Generator) -> None:
    """Write a picture of 16 by 16 random pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(path)


def write_tar(archive: Path, folder: Path) -> Path:
    """Pack the content of a folder."""
    with tarfile.open(archive, "w:xz" if archive.suffix == ".xz" else "w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    return archive


def tar_of(archive: Path, member: tarfile.TarInfo, content: bytes = b"") -> Path:
    """Write an archive of one member, whatever it says."""
    member.size = len(content)
    with tarfile.open(archive, "w") as tar:
        tar.addfile(member, io.BytesIO(content))
    return archive
