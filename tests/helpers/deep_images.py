"""Images of 16 bits that Pillow does not write, and the definition of their folder."""

import struct
import zlib


def of(folder, **more):
    return {"adapter": "imagefolder", "folder": str(folder), **more}


def png16(path, values):
    """Write a PNG of 16-bit colours, uint16 [H, W, 2, 3 or 4], which Pillow does not write."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width, bands = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[bands], 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def tiff(path, values, photometric):
    """Write a grey TIFF of 8 or 16 bits in little-endian order, with the given photometric interpretation."""
    data, height, width = values.tobytes(), *values.shape
    tags = [(256, 3, width), (257, 3, height), (258, 3, values.itemsize * 8), (259, 3, 1)]
    tags += [(262, 3, photometric), (273, 4, 8 + 2 + 12 * 8 + 4), (277, 3, 1), (279, 4, len(data))]
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + bytes(4) + data)
