import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from models.errors import MediaError
from models.media.isolated import IsolatedLoader
from models.media.limits import MediaLimits
from models.media.load import Probe, load, probe
from models.types import Audio, Image, Lyrics, Modality, Score
from tests.models.media.hostile_decoders import DiesOnArrival, obey, obey_probing
from tests.models.media.media_files import NAMES, made, picture_file

LIMITS = MediaLimits()


@pytest.fixture(scope="module")
def loader():
    with IsolatedLoader(LIMITS, workers=2, timeout_seconds=30) as isolated:
        yield isolated


@pytest.fixture
def obedient():
    with IsolatedLoader(
        LIMITS, workers=1, timeout_seconds=1.0, decoder=obey, prober=obey_probing
    ) as isolated:
        yield isolated


def _say(isolated: IsolatedLoader, word: bytes) -> str:
    answer = isolated.load(word, Modality.LYRICS)
    assert isinstance(answer, Lyrics)
    return answer.text


def _reason(isolated: IsolatedLoader, word: bytes) -> str:
    with pytest.raises(MediaError) as caught:
        isolated.load(word, Modality.LYRICS)
    return caught.value.reason


def test_a_worker_gives_what_this_process_gives(loader):
    there, here = (f(made("mp3"), Modality.AUDIO) for f in (loader.load, load))
    assert isinstance(there, Audio)
    assert isinstance(here, Audio)
    assert there.sample_rate_hz == here.sample_rate_hz
    np.testing.assert_array_equal(there.samples, here.samples)


def test_engraving_gives_the_same_bits_in_another_process(loader):
    there, here = (f(made("musicxml"), Modality.SCORE) for f in (loader.load, load))
    assert isinstance(there, Score)
    assert isinstance(here, Score)
    for page_there, page_here in zip(there.pages, here.pages, strict=True):
        np.testing.assert_array_equal(page_there, page_here)


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_probes_what_this_process_probes(loader, name):
    assert loader.probe(made(name)) == probe(made(name))


def test_a_path_is_probed_as_its_bytes_are(loader, tmp_path: Path):
    path = tmp_path / "anything.at.all"
    path.write_bytes(made("mkv"))
    assert loader.probe(path) == Probe(Modality.VIDEO, "video/x-matroska")


@pytest.mark.parametrize("name", ["mp4", "mov", "webm", "mkv"])
def test_probing_opens_no_container_in_this_process(loader, monkeypatch, name):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("FFmpeg ran in the calling process")

    monkeypatch.setattr(av, "open", refuse)
    assert loader.probe(made(name)).modality is Modality.VIDEO


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"\x7fELF\0", "unsupported"), (b"\x1a\x45\xdf\xa3" + bytes(40), "damaged")],
)
def test_what_cannot_be_probed_is_an_error_of_the_media(loader, data, reason):
    with pytest.raises(MediaError) as caught:
        loader.probe(data)
    assert caught.value.reason == reason


def test_the_limits_hold_while_probing():
    with (
        IsolatedLoader(MediaLimits(max_bytes=3), workers=1) as isolated,
        pytest.raises(MediaError, match="at most 3 bytes") as caught,
    ):
        isolated.probe(b"la la")
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(("word", "reason"), [(b"crash", "damaged"), (b"hang", "timeout")])
def test_a_crash_or_hang_while_probing_is_an_error_and_the_next_probe_works(obedient, word, reason):
    first = obedient.probe(b"process").media_type
    with pytest.raises(MediaError) as caught:
        obedient.probe(word)
    assert caught.value.reason == reason
    second = obedient.probe(b"process").media_type
    assert first != second == _say(obedient, b"process")  # the same workers load and probe
    assert int(first) != os.getpid() != int(second)


def test_paths_are_read_by_the_worker(loader, tmp_path: Path):
    path = tmp_path / "words"
    path.write_bytes(b"la la la")
    answer = loader.load(path, Modality.LYRICS)
    assert isinstance(answer, Lyrics)
    assert answer.text == "la la la"


def test_errors_come_back_whole(loader):
    with pytest.raises(MediaError, match="expected image, got a FLAC file") as caught:
        loader.load(made("flac"), Modality.IMAGE)
    assert caught.value.reason == "mislabelled"


def test_the_limits_hold_in_the_worker():
    with IsolatedLoader(MediaLimits(max_characters=3), workers=1) as isolated:
        assert _reason(isolated, b"la la") == "too_large"


def test_a_crash_is_damage_and_the_next_call_works(obedient):
    first = _say(obedient, b"process")
    assert _reason(obedient, b"crash") == "damaged"
    second = _say(obedient, b"process")
    assert first != second
    assert int(first) != os.getpid() != int(second)


def test_a_hang_is_a_timeout_and_the_next_call_works(obedient):
    process = int(_say(obedient, b"process"))
    began = time.monotonic()
    assert _reason(obedient, b"hang") == "timeout"
    assert time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert _say(obedient, b"la") == "lyrics 2"


def test_want_of_memory_is_too_large_and_the_worker_lives(obedient):
    process = _say(obedient, b"process")
    assert _reason(obedient, b"memory") == "too_large"
    assert _say(obedient, b"process") == process


def test_the_memory_of_a_worker_is_bounded():
    """A picture of 36 million pixels needs more than the 100 MB of address space left."""
    picture = picture_file(np.zeros((6000, 6000, 3), np.uint8), "PNG")
    with IsolatedLoader(LIMITS, workers=1) as isolated:
        assert isinstance(isolated.load(picture, Modality.IMAGE), Image)
        used_bytes = _address_space_bytes(next(iter(isolated._all))._process.pid)
    with (
        IsolatedLoader(LIMITS, workers=1, memory_bytes=used_bytes + 100 * 2**20) as isolated,
        pytest.raises(MediaError) as caught,
    ):
        isolated.load(picture, Modality.IMAGE)
    assert caught.value.reason == "too_large"


def _address_space_bytes(process: int | None) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(status.partition("VmSize:")[2].split()[0])


def test_an_error_of_the_media_keeps_the_worker(obedient):
    process = _say(obedient, b"process")
    assert _reason(obedient, b"refuse") == "unsupported"
    assert _say(obedient, b"process") == process


def test_a_worker_killed_while_idle_is_replaced_unnoticed(obedient):
    process = int(_say(obedient, b"process"))
    os.kill(process, 9)
    time.sleep(0.2)
    assert int(_say(obedient, b"process")) != process


def test_many_threads_share_few_workers(loader):
    words = [b"la " * (n + 1) for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda word: loader.load(word, Modality.LYRICS), words)
    assert [answer.text.encode() for answer in answers] == words


def test_workers_decode_at_the_same_time():
    with (
        IsolatedLoader(LIMITS, workers=2, timeout_seconds=10, decoder=obey) as isolated,
        ThreadPoolExecutor(2) as pool,
    ):
        seen = set(pool.map(lambda _: _say(isolated, b"slow"), range(2)))
    assert len(seen) == 2


def test_after_close_calls_are_refused():
    isolated = IsolatedLoader(LIMITS, workers=1, decoder=obey)
    process = int(_say(isolated, b"process"))
    isolated.close()
    isolated.close()
    with pytest.raises(RuntimeError, match="closed"):
        isolated.load(b"la", Modality.LYRICS)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_close_ends_a_call_under_way():
    isolated = IsolatedLoader(LIMITS, workers=1, timeout_seconds=60, decoder=obey)
    _say(isolated, b"la")
    reasons: list[str] = []
    thread = threading.Thread(target=lambda: reasons.append(_reason(isolated, b"hang")))
    thread.start()
    time.sleep(0.2)
    isolated.close()
    thread.join(10)
    assert reasons == ["damaged"]


def test_a_worker_that_cannot_start_is_no_fault_of_the_file():
    with (
        IsolatedLoader(LIMITS, workers=1, decoder=DiesOnArrival()) as isolated,
        pytest.raises(RuntimeError, match="did not start"),
    ):
        isolated.load(b"la", Modality.LYRICS)


PARENT = """
import sys, time
from models.media.isolated import IsolatedLoader
from models.media.limits import MediaLimits
from models.types import Modality
from tests.models.media.hostile_decoders import DiesOnArrival, obey

if __name__ == "__main__":
    loader = IsolatedLoader(MediaLimits(), workers=1, timeout_seconds=60, decoder=obey)
    sys.stdout.write(loader.load(b"process", Modality.LYRICS).text + "\\n")
    sys.stdout.flush()
    loader.load(b"hang", Modality.LYRICS)
"""


def test_workers_end_when_the_parent_is_killed(tmp_path: Path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env={"PYTHONPATH": str(root)}
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.kill()
    for _ in range(50):
        if not Path(f"/proc/{worker}").exists() or "Z" in _state(worker):
            return
        time.sleep(0.1)
    pytest.fail(f"worker {worker} outlived its parent")


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
