"""Tiny real files in every format, written with other libraries than those that read them here."""

import functools
import io
import struct
import zipfile
from collections.abc import Callable

import av
import numpy as np
import soundfile
from PIL import Image as PillowImage

RATE_HZ = 16_000
SECONDS = 1.0
TONE_HZ = 440.0
FRAME_RATE_HZ = 10
N_FRAMES = 10
FRAME_SIZE = (64, 48)  # width, height


def tone(rate_hz: int = RATE_HZ, seconds: float = SECONDS) -> np.ndarray:
    """A sine of amplitude 0.5, shape (T,), float32."""
    times = np.arange(round(rate_hz * seconds)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.float32)


def sound_file(samples: np.ndarray, rate_hz: int, container: str, subtype: str | None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate_hz, format=container, subtype=subtype)
    return buffer.getvalue()


def grey_frames() -> list[np.ndarray]:
    """Frame i is grey 20 i."""
    width, height = FRAME_SIZE
    return [np.full((height, width, 3), 20 * i, np.uint8) for i in range(N_FRAMES)]


def film(
    container: str,
    picture: str | None,
    sound: str | None,
    *,
    frames: list[np.ndarray] | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """Mux frames (grey ramp by default) and a tone with PyAV."""
    buffer = io.BytesIO()
    rate_hz = 48_000 if sound == "libopus" else RATE_HZ
    with av.open(buffer, "w", format=container, options=options or {}) as output:
        frames = grey_frames() if frames is None else frames
        video = output.add_stream(picture, rate=FRAME_RATE_HZ) if picture else None
        audio = output.add_stream(sound, rate=rate_hz, layout="mono") if sound else None
        if isinstance(video, av.VideoStream):
            _write_frames(output, video, frames)
        if isinstance(audio, av.AudioStream):
            _write_tone(output, audio, rate_hz)
    return buffer.getvalue()


def _write_frames(
    output: av.container.OutputContainer, stream: av.VideoStream, frames: list[np.ndarray]
) -> None:
    stream.height, stream.width = frames[0].shape[:2]
    stream.pix_fmt = "yuv420p"
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = number
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _write_tone(output: av.container.OutputContainer, stream: av.AudioStream, rate_hz: int) -> None:
    block = av.AudioFrame.from_ndarray(tone(rate_hz)[None], format="fltp", layout="mono")
    block.sample_rate = rate_hz
    block.pts = 0
    output.mux(stream.encode(block))
    output.mux(stream.encode(None))


def picture_file(pixels: np.ndarray, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, format=name, **options)
    return buffer.getvalue()


def colour_picture() -> np.ndarray:
    """Left half red, right half blue, (24, 32, 3)."""
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[:, :16, 0] = 255
    pixels[:, 16:, 2] = 255
    return pixels


def animated_gif(levels: list[int], durations_ms: list[int]) -> bytes:
    buffer = io.BytesIO()
    pictures = [PillowImage.new("L", (40, 30), level) for level in levels]
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=durations_ms
    )
    return buffer.getvalue()


SCALE = ("C4", "D4", "E4", "F#4", "G4", "A4", "B4", "C5")

DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)


def musicxml(
    pitches: tuple[str, ...] = SCALE,
    *,
    words: bool = True,
    accidentals: bool = True,
    fifths: int = 0,
    doctype: str = DOCTYPE,
) -> bytes:
    """Quarter notes in 4/4; with ``words``, everything that gives a song away is in it."""
    bars = [pitches[i : i + 4] for i in range(0, len(pitches), 4)]
    measures = "".join(_measure(n, bar, words, accidentals, fifths) for n, bar in enumerate(bars))
    head = (
        "<work><work-title>The Title</work-title></work><movement-title>Movement</movement-title>"
        "<identification><creator type='composer'>A. Composer</creator></identification>"
        "<credit page='1'><credit-words>Credit</credit-words></credit>"
    )
    name = "Soprano" if words else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<score-partwise version="4.0">'
        f"{head if words else ''}<part-list><score-part id='P1'><part-name>{name}</part-name>"
        f"</score-part></part-list><part id='P1'>{measures}</part></score-partwise>"
    ).encode()


def _measure(number: int, bar: tuple[str, ...], words: bool, accidentals: bool, fifths: int) -> str:
    attributes = (
        f"<attributes><divisions>1</divisions><key><fifths>{fifths}</fifths></key><time><beats>4"
        "</beats><beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef>"
        "</attributes>"
    )
    direction = (
        "<direction placement='above'><direction-type><words>Allegro</words></direction-type>"
        "<sound tempo='120'/></direction><direction placement='above'><direction-type><metronome>"
        "<beat-unit>quarter</beat-unit><per-minute>120</per-minute></metronome></direction-type>"
        "</direction><direction><direction-type><dynamics><mf/></dynamics></direction-type>"
        "</direction><direction><direction-type><rehearsal>A</rehearsal></direction-type>"
        "</direction><harmony><root><root-step>C</root-step></root><kind text='7'>dominant</kind>"
        "</harmony>"
    )
    notes = "".join(_note(pitch, words, accidentals) for pitch in bar)
    return (
        f"<measure number='{number + 1}'>{attributes if number == 0 else ''}"
        f"{direction if words else ''}{notes}</measure>"
    )


def _note(pitch: str, words: bool, accidentals: bool) -> str:
    step, sign, octave = pitch[0], pitch[1:-1], pitch[-1]
    alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(sign, "")
    printed = {"#": "sharp", "b": "flat", "n": "natural"}.get(sign)
    accidental = f"<accidental>{printed}</accidental>" if printed and accidentals else ""
    lyric = "<lyric><syllabic>single</syllabic><text>incomprehensibilities</text></lyric>"
    return (
        f"<note><pitch><step>{step}</step>{alter}<octave>{octave}</octave></pitch><duration>1"
        f"</duration><type>quarter</type>{accidental}{lyric if words else ''}</note>"
    )


def timewise() -> bytes:
    return (
        musicxml(words=False)
        .decode()
        .replace("partwise", "timewise")
        .replace("<part id='P1'>", "")
        .replace("</part></score", "</score")
        .replace("'><attributes>", "'><part id='P1'><attributes>")
        .replace("<measure number='2'>", "<measure number='2'><part id='P1'>")
        .replace("</measure>", "</part></measure>")
        .encode()
    )


def mxl(score: bytes | None = None, *, with_container: bool = True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if with_container:
            archive.writestr(
                "META-INF/container.xml",
                "<container><rootfiles><rootfile full-path='inner/song.xml'/></rootfiles>"
                "</container>",
            )
        archive.writestr("inner/song.xml", musicxml() if score is None else score)
    return buffer.getvalue()


MEI = b"""<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei" meiversion="5.0"><meiHead><fileDesc><titleStmt>
<title>The Title</title></titleStmt><pubStmt/></fileDesc></meiHead><music><body><mdiv><score>
<scoreDef keysig="0" meter.count="4" meter.unit="4"><staffGrp><staffDef n="1" lines="5"
clef.shape="G" clef.line="2"/></staffGrp></scoreDef><section><measure n="1"><staff n="1">
<layer n="1"><note pname="c" oct="4" dur="4"/><note pname="d" oct="4" dur="4"/>
<note pname="e" oct="4" dur="4"/><note pname="f" oct="4" dur="4"/></layer></staff></measure>
</section></score></mdiv></body></music></mei>"""

ABC = b"X:1\nT:The Title\nC:Trad.\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\nw:la la la la\n"

HUMDRUM = (
    b"!!!OTL: The Title\n**kern\t**text\n*clefG2\t*\n*M4/4\t*\n=1\t=1\n4c\tla\n4d\tle\n4e\tli\n"
    b"4f\tlo\n==\t==\n*-\t*-\n"
)


def midi_track(events: bytes) -> bytes:
    return b"MTrk" + struct.pack(">I", len(events) + 4) + events + b"\x00\xff\x2f\x00"


def midi(*tracks: bytes, ticks_per_quarter: int = 96) -> bytes:
    header = struct.pack(">4sIHHH", b"MThd", 6, 1, len(tracks), ticks_per_quarter)
    return header + b"".join(midi_track(events) for events in tracks)


def midi_notes(pitches: list[int], *, ticks: int = 96, channel: int = 0) -> bytes:
    """Notes one after the other, each of ``ticks`` (< 128)."""
    on, off = 0x90 | channel, 0x80 | channel
    return b"".join(bytes([0, on, pitch, 64, ticks, off, pitch, 0]) for pitch in pitches)


def pdf(n_pages: int = 2, size: tuple[int, int] = (60, 80)) -> bytes:
    """Pages with a black upper half, written by Pillow."""
    page = PillowImage.new("L", size, 255)
    page.paste(0, (0, 0, size[0], size[1] // 2))
    buffer = io.BytesIO()
    page.save(buffer, format="PDF", save_all=True, append_images=[page] * (n_pages - 1))
    return buffer.getvalue()


# name -> (maker, MIME type, default modality)
_MAKERS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "wav": (lambda: sound_file(tone(), RATE_HZ, "WAV", "FLOAT"), "audio/wav", "audio"),
    "flac": (lambda: sound_file(tone(), RATE_HZ, "FLAC", "PCM_24"), "audio/flac", "audio"),
    "ogg": (lambda: sound_file(tone(), RATE_HZ, "OGG", "VORBIS"), "audio/ogg", "audio"),
    "opus": (lambda: film("ogg", None, "libopus"), "audio/ogg", "audio"),
    "mp3": (lambda: sound_file(tone(), RATE_HZ, "MP3", None), "audio/mpeg", "audio"),
    "aac": (lambda: film("adts", None, "aac"), "audio/aac", "audio"),
    "m4a": (lambda: film("ipod", None, "aac"), "audio/mp4", "audio"),
    "weba": (lambda: film("webm", None, "libopus"), "audio/webm", "audio"),
    "mka": (lambda: film("matroska", None, "aac"), "audio/x-matroska", "audio"),
    "mp4": (lambda: film("mp4", "libx264", "aac"), "video/mp4", "video"),
    "mov": (lambda: film("mov", "libx264", "aac"), "video/quicktime", "video"),
    "mkv": (lambda: film("matroska", "libx264", "aac"), "video/x-matroska", "video"),
    "webm": (lambda: film("webm", "libvpx", "libopus"), "video/webm", "video"),
    "avi": (lambda: film("avi", "mpeg4", "libmp3lame"), "video/x-msvideo", "video"),
    "gif": (lambda: animated_gif([0, 100, 200], [100, 500, 200]), "image/gif", "video"),
    "still-gif": (lambda: picture_file(colour_picture(), "GIF"), "image/gif", "image"),
    "png": (lambda: picture_file(colour_picture(), "PNG"), "image/png", "image"),
    "jpg": (lambda: picture_file(colour_picture(), "JPEG", quality=95), "image/jpeg", "image"),
    "webp": (lambda: picture_file(colour_picture(), "WEBP"), "image/webp", "image"),
    "bmp": (lambda: picture_file(colour_picture(), "BMP"), "image/bmp", "image"),
    "tif": (lambda: picture_file(colour_picture(), "TIFF"), "image/tiff", "image"),
    "pdf": (pdf, "application/pdf", "score"),
    "musicxml": (musicxml, "application/vnd.recordare.musicxml+xml", "score"),
    "timewise": (timewise, "application/vnd.recordare.musicxml+xml", "score"),
    "mxl": (mxl, "application/vnd.recordare.musicxml", "score"),
    "mei": (lambda: MEI, "application/mei+xml", "score"),
    "mid": (lambda: midi(midi_notes([60, 62, 64, 65])), "audio/midi", "score"),
    "abc": (lambda: ABC, "text/vnd.abc", "score"),
    "krn": (lambda: HUMDRUM, "text/x-humdrum", "score"),
    "txt": (lambda: "Grüße, 世界\nzweite Zeile\n".encode(), "text/plain", "lyrics"),
}
NAMES = tuple(_MAKERS)
AUDIO_NAMES = ("wav", "flac", "ogg", "opus", "mp3", "aac", "m4a", "weba", "mka")
FILM_NAMES = ("mp4", "mov", "mkv", "webm", "avi")
IMAGE_NAMES = ("still-gif", "png", "jpg", "webp", "bmp", "tif")
NOTATION_NAMES = ("musicxml", "timewise", "mxl", "mei", "mid", "abc", "krn")


@functools.cache
def made(name: str) -> bytes:
    """The file called ``name``, made once."""
    return _MAKERS[name][0]()


def expected_type(name: str) -> str:
    return _MAKERS[name][1]


def expected_modality(name: str) -> str:
    return _MAKERS[name][2]
