"""A folder of a few triples, written without a synthesiser: sine melodies, engraved strips."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from models.media.engraving import engrave_strip_with_noteheads
from models.media.limits import MediaLimits
from tests.training.datasets.songs.conftest import score_xml, tune_bars

RATE = 16_000
PITCHES = (60, 62, 64, 65, 67, 69, 71, 72)
SYLLABLES = ("la", "mi", "do", "ver", "son", "ka", "tul", "pe")
PHONES = {"a": "aa", "e": "eh", "i": "iy", "o": "ow", "u": "uw"} | {x: x for x in "lmdvsktpn"}
SPLITS = ("train",) * 8 + ("validation",) * 3 + ("test",) * 3


def write_triples(folder: Path, renditions: tuple[str, ...] = ("voice", "sung")) -> None:
    """Write fourteen triples of eight notes each."""
    rows = []
    for number, split in enumerate(SPLITS):
        rng = np.random.default_rng(number)
        tune = rng.permutation(PITCHES).tolist()
        text = " ".join(rng.permutation(SYLLABLES).tolist())
        image, heads = strip(tune)
        files = {"score": image, "lyrics": f"{text}\n".encode()}
        files |= {name: sound(tune, octave=name == "sung") for name in renditions}
        places = {}
        for kind, data in files.items():
            suffix = {"score": "png", "lyrics": "txt"}.get(kind, "flac")
            places[kind] = f"{split}/{kind}/song{number}.{suffix}"
            (folder / places[kind]).parent.mkdir(parents=True, exist_ok=True)
            (folder / places[kind]).write_bytes(data)
        rows.append(
            {
                "id": f"song{number}",
                "split": split,
                "seconds": 4.0,
                "instrument": "flute",
                "melody": f"m{number}",
                "words": f"w{number}",
                "notes": [
                    [0.5 * place, 0.5, pitch, syllable]
                    for place, (pitch, syllable) in enumerate(zip(tune, text.split(), strict=True))
                ],
                "phones": [
                    phone
                    for place, syllable in enumerate(text.split())
                    for phone in (
                        [PHONES[syllable[0]], 0.5 * place, 0.5 * place + 0.1],
                        [PHONES[syllable[1]], 0.5 * place + 0.1, 0.5 * place + 0.5],
                    )
                ],
                "heads": [list(head) for head in zip(heads, tune, strict=True)],
                "files": places,
                "sha256": {kind: hashlib.sha256(data).hexdigest() for kind, data in files.items()},
            }
        )
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "triples.jsonl").write_text(lines)
    settings = {"source": "tiny", "seed": 0}
    manifest = {"settings": settings, "licence": "CC0 1.0", "citation": "written for the tests"}
    (folder / "triples.json").write_text(json.dumps(manifest))


def strip(tune: list[int]) -> tuple[bytes, tuple[float, ...]]:
    """Two bars as a PNG strip, and the places of its noteheads."""
    score = score_xml(tune_bars(tune, [""] * 8))
    start, end = score.index('<part id="P1">'), score.index('<part id="P2">')
    names = '<score-part id="P1"><part-name>Piano</part-name></score-part>'
    voice = (score[:start] + score[end:]).replace(names, "")
    file = io.BytesIO()
    page, places = engrave_strip_with_noteheads(voice.encode(), MediaLimits())
    Image.fromarray(page).save(file, "PNG")
    return file.getvalue(), places


def sound(tune: list[int], *, octave: bool) -> bytes:
    """Half a second of each pitch."""
    time = np.arange(RATE // 2) / RATE
    hertz = [440.0 * 2.0 ** ((pitch - 69 - 12 * octave) / 12.0) for pitch in tune]
    samples = np.concatenate([np.sin(2.0 * np.pi * one * time) for one in hertz])
    file = io.BytesIO()
    soundfile.write(file, 0.5 * samples, RATE, format="FLAC")
    return file.getvalue()
