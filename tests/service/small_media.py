"""Real files of a second or less, made in the test: a class sets pitch, hue, words and melody."""

import colorsys
import io
import itertools

import av
import numpy as np
import soundfile
from PIL import Image, ImageDraw

N_CLASSES = 6
RATE_HZ = 16_000
_WORDS = (
    ["rain", "falls", "on", "the", "silent", "river", "water", "grey"],
    ["fire", "burns", "bright", "and", "the", "red", "night", "glows"],
    ["singe", "kleiner", "Vogel", "im", "grünen", "Wald", "am", "Morgen"],
    ["mon", "amour", "la", "mer", "est", "belle", "ce", "soir"],
    ["heart", "breaks", "slowly", "while", "trains", "leave", "stations"],
    ["夜の", "海に", "月が", "光る", "静かな", "波の", "音"],
)
_MELODIES = ("CEGC", "CCCC", "GFED", "CGCG", "EDCD", "cBAG")
_LENGTHS = ("eighth", "quarter", "half", "eighth", "quarter", "half")


def _hue(label, place):
    red, green, blue = colorsys.hsv_to_rgb((label + 0.1 * place) / N_CLASSES, 0.9, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def _samples(label, place, seconds=1.0):
    t = np.arange(round(RATE_HZ * seconds)) / RATE_HZ
    pitch_hz = 180 * 1.6**label * (1 + 0.02 * place)
    beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * (2 + label) * t))
    overtone = 0.3 * np.sin(4 * np.pi * pitch_hz * t)
    return (0.4 * beat * (np.sin(2 * np.pi * pitch_hz * t) + overtone)).astype(np.float32)


def sound(label, place=0, *, kind="WAV"):
    out = io.BytesIO()
    soundfile.write(out, _samples(label, place), RATE_HZ, format=kind)
    return out.getvalue()


def _frame(label, place, moment=0):
    picture = Image.new("RGB", (96, 72), "white" if label % 2 else "black")
    x = 8 + (12 * moment * (1 + label)) % 60
    size = 20 + 2 * place
    ImageDraw.Draw(picture).ellipse((x, 20, x + size, 20 + size), fill=_hue(label, place))
    return picture


def picture(label, place=0, *, kind="PNG"):
    out = io.BytesIO()
    _frame(label, place, moment=place).save(out, kind)
    return out.getvalue()


def film(label, place=0):
    """An MP4 of one second with a sound track."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        pictures = container.add_stream("mpeg4", rate=8)
        pictures.width, pictures.height, pictures.pix_fmt = 96, 72, "yuv420p"
        track = container.add_stream("aac", rate=RATE_HZ)
        for moment in range(8):
            frame = av.VideoFrame.from_image(_frame(label, place, moment))
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        samples = _samples(label, place)[None, :]
        audio = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        audio.sample_rate = RATE_HZ
        container.mux(track.encode(audio))
        container.mux(track.encode(None))
    return out.getvalue()


def lyric(label, place=0):
    words = itertools.cycle(_WORDS[label])
    lines = [" ".join(itertools.islice(words, 4 + place % 2)) for _ in range(3 + place)]
    return ("\n".join(lines) + "\n").encode()


def score(label, place=0):
    """MusicXML: the class sets melody and note lengths, the place the number of bars."""
    return musicxml(_MELODIES[label], kind=_LENGTHS[label], n_bars=3 + place)


def abc_tune(melody="DFAd|dAFD"):
    return f"X:1\nM:4/4\nL:1/4\nK:D\n{melody}|]\n".encode()


def musicxml(steps="CDEF", *, kind="quarter", n_bars=1):
    """One voice that repeats a bar of notes; the bar is as long as they are."""
    ticks = {"eighth": 1, "quarter": 2, "half": 4}[kind]
    notes = "".join(
        f"<note><pitch><step>{step.upper()}</step><octave>{5 if step.islower() else 4}</octave>"
        f"</pitch><duration>{ticks}</duration><type>{kind}</type></note>"
        for step in steps
    )
    attributes = (
        "<attributes><divisions>2</divisions><key><fifths>0</fifths></key>"
        f"<time><beats>{ticks * len(steps)}</beats><beat-type>8</beat-type></time>"
        "<clef><sign>G</sign><line>2</line></clef></attributes>"
    )
    bars = "".join(
        f'<measure number="{n + 1}">{attributes if n == 0 else ""}{notes}</measure>'
        for n in range(n_bars)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1"><part-list>'
        '<score-part id="P1"><part-name>Voice</part-name></score-part></part-list>'
        f'<part id="P1">{bars}</part></score-partwise>'
    ).encode()


MAKERS = {"audio": sound, "image": picture, "video": film, "lyrics": lyric, "score": score}
SUFFIXES = {
    "audio": ".wav",
    "image": ".png",
    "video": ".mp4",
    "lyrics": ".txt",
    "score": ".musicxml",
}
