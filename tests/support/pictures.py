"""Pictures of the documents: where they lie, whether they are asked for, and how they are kept small."""

import os
import struct
import zlib
from collections import Counter
from pathlib import Path

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ASKED_FOR_PICTURES = bool(os.environ.get("PARCFERME_PICTURES"))


def with_palette(png: bytes) -> bytes:
    """Write a screenshot (8 bits, RGB) with its 256 most frequent colours: a third of the size, and the eye sees no difference."""
    parts = dict.fromkeys((b"IHDR", b"IDAT"), b"")
    at = 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind in parts:
            parts[kind] += png[at + 8 : at + 8 + length]
        at += length + 12
    width, height, depth, colour_type = struct.unpack_from(">IIBB", parts[b"IHDR"])
    assert (depth, colour_type) == (8, 2)
    pixels = unfiltered(zlib.decompress(parts[b"IDAT"]), width * 3, height)
    colours = [pixels[i : i + 3] for i in range(0, len(pixels), 3)]
    counts = Counter(colours)
    palette = [colour for colour, _ in counts.most_common(256)]
    index = {colour: place for place, colour in enumerate(palette)}
    for colour in counts.keys() - index.keys():
        r, g, b = colour
        index[colour] = min(
            range(len(palette)), key=lambda i: (palette[i][0] - r) ** 2 + (palette[i][1] - g) ** 2 + (palette[i][2] - b) ** 2
        )
    rows = bytes(map(index.__getitem__, colours))
    data = b"".join(b"\0" + rows[y * width : (y + 1) * width] for y in range(height))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(data, 9)),
        (b"IEND", b""),
    ]
    return png[:8] + b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)


def unfiltered(data: bytes, stride: int, height: int) -> bytes:
    """Undo the line filters of a PNG of three bytes a pixel."""
    out = bytearray()
    above = bytearray(stride)
    for y in range(height):
        kind, line = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride) if kind else ():
            left, up, corner = (line[x - 3] if x > 2 else 0), above[x], (above[x - 3] if x > 2 else 0)
            if kind == 4:
                guess = left + up - corner
                nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            else:
                nearest = (left, up, (left + up) // 2)[kind - 1]
            line[x] = (line[x] + nearest) & 255
        out += line
        above = line
    return bytes(out)
