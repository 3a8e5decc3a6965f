"""How long an MP3 lasts, by its frames. A header that would say so may be missing, or be of a longer file: by the first
frame alone a file whose bit rate varies is off by any factor."""

KBITS = {  # of layer III, by the header's four bits
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG 1
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG 2 and 2.5
}
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by the version's two bits
HEADERS = (b"Xing", b"Info", b"VBRI")  # in a first frame that holds no sound


def seconds(data: bytes) -> float:
    """0.0 where no frame is found."""
    at, total, is_first = _behind_tag(data), 0.0, True
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        size, lasts = _frame(data[at : at + 4])
        is_frame = size and (_frame(data[at + size : at + size + 4])[0] or at + size >= len(data) - 128 or not is_first)
        if not is_frame:
            at += 1
            continue
        if not (is_first and any(word in data[at : at + 60] for word in HEADERS)):
            total += lasts
        is_first = False
        at += size
    return total


def _behind_tag(data: bytes) -> int:
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame(header: bytes) -> tuple[int, float]:
    """Its bytes and seconds; 0 for what is not a header of layer III."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0, 0.0
    version, kbits_at, rate_at = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version not in RATES or rate_at == 3 or not 0 < kbits_at < 15:
        return 0, 0.0
    rate, samples = RATES[version][rate_at], 1152 if version == 3 else 576
    size = samples // 8 * KBITS[version == 3][kbits_at] * 1000 // rate + (header[2] >> 1 & 1)
    return size, samples / rate
