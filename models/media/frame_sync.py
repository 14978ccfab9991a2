"""Recognise MPEG audio (MP3) and AAC ADTS, which have no file header, by two frames in a row."""

_MP3_KBITS_MPEG1 = {
    3: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_MP3_KBITS_MPEG2 = {
    3: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    1: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES_HZ = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_LAYER_ONE = 3
_LAYER_THREE = 1
_MPEG_1 = 3


def id3_length(data: bytes) -> int:
    """Bytes that a leading ID3v2 tag takes, 0 without one."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = (size << 7) | (byte & 0x7F)
    return 10 + size


def is_mp3(data: bytes, start: int) -> bool:
    """Whether two MPEG audio frames (or one that ends the data) begin at ``start``."""
    length = _mp3_frame_bytes(data[start : start + 4])
    following = data[start + length : start + length + 4]
    return length > 0 and (len(following) < 4 or _mp3_frame_bytes(following) > 0)


def is_adts(data: bytes, start: int) -> bool:
    """Whether two ADTS frames (or one that ends the data) begin at ``start``."""
    length = _adts_frame_bytes(data[start : start + 7])
    following = data[start + length : start + length + 7]
    return length > 0 and (len(following) < 7 or _adts_frame_bytes(following) > 0)


def _mp3_frame_bytes(header: bytes) -> int:
    """Length of the frame with this four-byte header; 0 if it is not one."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = (header[1] >> 3) & 3, (header[1] >> 1) & 3
    bit_rate, sample_rate = header[2] >> 4, (header[2] >> 2) & 3
    if version == 1 or layer == 0 or bit_rate in (0, 15) or sample_rate == 3:
        return 0  # reserved values; free-format streams (bit rate 0) are too rare to trust
    table = _MP3_KBITS_MPEG1 if version == _MPEG_1 else _MP3_KBITS_MPEG2
    bits_per_second = table[layer][bit_rate] * 1000
    rate_hz = _MP3_RATES_HZ[version][sample_rate]
    padding = (header[2] >> 1) & 1
    if layer == _LAYER_ONE:
        return (12 * bits_per_second // rate_hz + padding) * 4
    samples_per_byte = 72 if layer == _LAYER_THREE and version != _MPEG_1 else 144
    return samples_per_byte * bits_per_second // rate_hz + padding


def _adts_frame_bytes(header: bytes) -> int:
    """Length of the frame with this seven-byte header; 0 if it is not one."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    if (header[2] >> 2) & 0xF > 12:
        return 0  # sampling frequency index out of range
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length >= 7 else 0
