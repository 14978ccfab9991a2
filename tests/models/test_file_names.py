import os

import pytest

from models.file_names import distinct_name, printable_name


@pytest.mark.parametrize("name", ["rain", "Grüße/世界.wav", "\ufffd", ""])
def test_names_in_utf_8_stay(name):
    assert printable_name(name) == name
    assert distinct_name(name) == name


@pytest.mark.parametrize(
    ("raw", "printed"),
    [(b"\xff\xfe.wav", "\ufffd\ufffd.wav"), (b"caf\xe9", "caf\ufffd"), (b"a/\xff/b", "a/\ufffd/b")],
)
def test_bytes_that_are_no_utf_8_are_replaced(raw, printed):
    assert printable_name(os.fsdecode(raw)) == printed


def test_a_distinct_name_ends_with_a_hash_of_the_raw_bytes():
    # printf '\377' | sha256sum
    assert distinct_name(os.fsdecode(b"\xff")) == "\ufffd~a8100ae6"


def test_names_that_print_alike_stay_apart():
    names = {distinct_name(os.fsdecode(bytes([byte]))) for byte in range(0x80, 0x100)}
    assert len(names | {distinct_name("\ufffd")}) == 129
