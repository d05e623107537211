"""TIFF files that no writer at hand makes: few bits, and LZW with any predictor."""

import io
import struct

import numpy as np
from PIL import Image

LZW = 5


def write_tiff(path, tags, segments, *, order="<", tiled=False):
    """Write one page of tag -> integers, with its encoded strips or tiles."""
    places = (324, 325) if tiled else (273, 279)
    tags = {**tags, places[0]: [0] * len(segments), places[1]: [len(part) for part in segments]}
    tags = dict(sorted(tags.items()))
    start = 8 + 2 + 12 * len(tags) + 4
    lists = {tag: values for tag, values in tags.items() if len(values) > 1}
    offsets = {}
    for tag, values in lists.items():
        offsets[tag] = start
        start += 4 * len(values)
    tags[places[0]] = [start + sum(map(len, segments[:i])) for i in range(len(segments))]
    entries = b"".join(
        struct.pack(f"{order}HHII", tag, 4, len(values), offsets.get(tag, values[0]))
        for tag, values in tags.items()
    )
    head = (
        struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(tags))
        + entries
        + bytes(4)
    )
    more = b"".join(struct.pack(f"{order}{len(tags[t])}I", *tags[t]) for t in lists)
    path.write_bytes(head + more + b"".join(segments))


def write_bits(path, values, bits, *, photometric=1):
    """Grey of 1 to 15 bits, as NBITS of GDAL writes it."""
    wide = values.astype(">u2")[..., None].view(np.uint8)
    unpacked = np.unpackbits(wide, axis=2)[..., 16 - bits :]
    data = np.packbits(unpacked.reshape(len(values), -1), axis=1).tobytes()
    size = {256: [values.shape[1]], 257: [values.shape[0]], 278: [values.shape[0]]}
    write_tiff(path, {**size, 258: [bits], 259: [1], 262: [photometric], 277: [1]}, [data])


def write_lzw(path, values, *, predictor=1, order="<", tile=None):
    """(H, W, C) numbers in LZW: Pillow encodes the bytes of each strip or tile."""
    height, width, bands = values.shape
    size = tile or (8, width)
    segments = []
    for top in range(0, height, size[0]):
        for left in range(0, width, size[1]):
            part = values[top : top + size[0], left : left + size[1]]
            if tile:
                gaps = [(0, size[i] - part.shape[i]) for i in (0, 1)]
                part = np.pad(part, [*gaps, (0, 0)])
            segments.append(_lzw(_differences(part, predictor, order), len(part)))
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = {
        256: [width],
        257: [height],
        258: [values.dtype.itemsize * 8] * bands,
        259: [LZW],
        262: [2 if bands >= 3 else 1],
        277: [bands],
        317: [predictor],
        339: [kind] * bands,
    }
    tags |= {322: [size[1]], 323: [size[0]]} if tile else {278: [size[0]]}
    if bands > 3:
        tags[338] = [0] * (bands - 3)
    write_tiff(path, tags, segments, order=order, tiled=bool(tile))


def _differences(part, predictor, order):
    if predictor == 3:
        size, step = part.dtype.itemsize, part.shape[2]
        raw = np.frombuffer(part.astype(part.dtype.newbyteorder(">")).tobytes(), np.uint8)
        planes = raw.reshape(len(part), -1, size).swapaxes(1, 2).reshape(len(part), -1).copy()
        planes[:, step:] -= planes[:, :-step].copy()
        return planes.tobytes()
    stored = part.copy()
    if predictor == 2:
        stored[:, 1:] -= part[:, :-1]
    return stored.astype(part.dtype.newbyteorder(order)).tobytes()


def _lzw(data, rows):
    image = Image.frombytes("L", (len(data) // rows, rows), data)
    image.save(buffer := io.BytesIO(), "TIFF", compression="tiff_lzw", tiffinfo={278: rows})
    with Image.open(buffer) as written:
        start, count = written.tag_v2[273], written.tag_v2[279]
    assert len(start) == 1
    return buffer.getvalue()[start[0] : start[0] + count[0]]
