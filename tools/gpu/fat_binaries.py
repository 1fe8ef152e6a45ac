"""Leaves in fat binaries what is for one target only, so that a bundle for one kind of GPU is smaller.

    fat_binaries.py FOLDER sm_90a      changes the *.fatbin below FOLDER in place

The format is not published: the fields are those that dev.rote.device.cuda.FatBinary reads. Exit status 2 if a file is no
fat binary, or holds nothing for the target.
"""
import pathlib
import struct
import sys

MAGIC = 0xBA55ED50
PTX, ARCHITECTURE_SPECIFIC = 1, 1 << 20


def entries(image):
    """Target and bytes of each entry, as ("sm_90a", b"...")."""
    magic, _, at, size = struct.unpack_from("<IHHQ", image, 0)
    if magic != MAGIC:
        raise ValueError("expected a fat binary, found other bytes")
    end = at + size
    while at < end:
        kind, _, header, payload = struct.unpack_from("<HHIQ", image, at)
        architecture, = struct.unpack_from("<I", image, at + 28)
        flags, = struct.unpack_from("<I", image, at + 40)
        name = ("compute_" if kind == PTX else "sm_") + str(architecture)
        yield name + ("a" if flags & ARCHITECTURE_SPECIFIC else ""), image[at:at + header + payload]
        at += header + payload


def only(image, target):
    kept = b"".join(entry for name, entry in entries(image) if name == target)
    if not kept:
        raise ValueError(f"expected code for {target}, found {', '.join(name for name, _ in entries(image))}")
    header = struct.unpack_from("<H", image, 6)[0]
    return image[:8] + struct.pack("<Q", len(kept)) + image[16:header] + kept


def main(folder, target):
    for path in sorted(pathlib.Path(folder).rglob("*.fatbin")):
        try:
            path.write_bytes(only(path.read_bytes(), target))
        except (ValueError, struct.error) as problem:
            print(f"fat_binaries.py: {path}: {problem}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
