import io
import struct
import zipfile

import pytest

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.zip_container import read_score
from tests.models.media.media_files import musicxml, mxl

LIMITS = MediaLimits()


def _archive(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _container(path: str) -> bytes:
    return f"<container><rootfiles><rootfile full-path='{path}'/></rootfiles></container>".encode()


def test_the_score_named_by_the_container_is_read():
    data = _archive(
        {"META-INF/container.xml": _container("b.xml"), "a.xml": b"wrong", "b.xml": b"right"}
    )
    assert read_score(data, LIMITS) == b"right"


@pytest.mark.parametrize("container", [None, _container("absent.xml"), b"<container/>"])
def test_without_a_named_score_the_first_one_is_read(container):
    entries = {"META-INF/container.xml": container} if container else {}
    data = _archive({**entries, "part.xml": b"second", "song.musicxml": b"first"})
    assert read_score(data, LIMITS) == b"first"


@pytest.mark.parametrize("n_levels", [1, 3])
def test_a_bomb_is_refused_from_its_directory(n_levels):
    data = _archive({f"{n}.xml": bytes(40_000_000) for n in range(n_levels)})
    assert len(data) < 200_000
    with pytest.raises(MediaError, match="directory states") as caught:
        read_score(data, LIMITS)
    assert caught.value.reason == "too_large"


def test_a_bomb_whose_directory_lies_is_refused_while_unpacking():
    data = bytearray(_archive({"song.xml": bytes(3_000_000)}))
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 100)  # unpacked size
    with pytest.raises(MediaError) as caught:
        read_score(bytes(data), MediaLimits(max_unpacked_bytes=1_000))
    assert caught.value.reason in ("too_large", "damaged")


def test_unpacking_stops_at_the_limit(monkeypatch):
    """Python trusts the stated size itself; should it ever not, our own count holds."""
    monkeypatch.setattr("models.media.zip_container._refuse_large", lambda *_: None)
    with pytest.raises(MediaError, match="holds more") as caught:
        read_score(mxl(), MediaLimits(max_unpacked_bytes=200))
    assert caught.value.reason == "too_large"


def test_too_many_files_are_refused():
    with pytest.raises(MediaError, match="at most 1000 files") as caught:
        read_score(_archive({f"{n}.xml": b"" for n in range(1001)}), LIMITS)
    assert caught.value.reason == "too_large"


def test_an_archive_without_score_is_damaged():
    with pytest.raises(MediaError, match="got none") as caught:
        read_score(_archive({"readme.txt": b""}), LIMITS)
    assert caught.value.reason == "damaged"


def test_a_locked_archive_is_damaged():
    data = bytearray(mxl())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1  # the encryption flag
            at = data.find(mark, at + 4)
    with pytest.raises(MediaError, match="does not open") as caught:
        read_score(bytes(data), LIMITS)
    assert caught.value.reason == "damaged"


def test_a_wrong_checksum_is_damage():
    data = _archive({"song.xml": musicxml()}, zipfile.ZIP_STORED).replace(b"<step>C", b"<step>D")
    with pytest.raises(MediaError, match="does not open") as caught:
        read_score(data, LIMITS)
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_cut_archives_are_damaged(share):
    data = mxl()
    with pytest.raises(MediaError) as caught:
        read_score(data[: int(share * len(data))], LIMITS)
    assert caught.value.reason == "damaged"
