"""Whether both entries of a kernel, its own and that for replicas, do the same arithmetic.

    nvcc -std=c++17 -O3 -Icommon -arch=sm_90a -cubin -o FILE.cubin FILE.cu
    python3 kernels/entries.py FILE.cubin ...

Counts, in the machine code of each, what adds and multiplies: the compiler may contract a*b+c in one and not in the other, and then a
replica would not have the bits that it has alone. A loop that is unrolled once more in one of the two shows as well. Exit
status 1 if two differ.
"""
import collections
import struct
import sys

# The low nine bits of an instruction, from sm_80 on.
ARITHMETIC = {
    0x020: "FMUL", 0x021: "FADD", 0x023: "FFMA", 0x028: "DMUL", 0x029: "DADD", 0x02B: "DFMA", 0x030: "HADD2",
    0x031: "HFMA2", 0x032: "HMUL2", 0x03C: "HMMA", 0x1F0: "GMMA",
}
INSTRUCTION = 16  # bytes
PREFIX, SUFFIX = ".text.", "_replicas"


def sections(image):
    """Name and bytes of each section of a 64-bit ELF file."""
    at, = struct.unpack_from("<Q", image, 0x28)
    count, names = struct.unpack_from("<HH", image, 0x3C)
    headers = [struct.unpack_from("<IIQQQQ", image, at + 64 * i) for i in range(count)]
    for name, _, _, _, begin, size in headers:
        start = headers[names][4] + name
        yield image[start:image.index(b"\0", start)].decode(), image[begin:begin + size]


def arithmetic(code):
    found = collections.Counter()
    for at in range(0, len(code), INSTRUCTION):
        name = ARITHMETIC.get(struct.unpack_from("<H", code, at)[0] & 0x1FF)
        if name:
            found[name] += 1
    return found


def main(paths):
    same = differ = 0
    for path in paths:
        with open(path, "rb") as file:
            image = file.read()
        kernels = {name[len(PREFIX):]: arithmetic(code) for name, code in sections(image) if name.startswith(PREFIX)}
        for name, own in sorted(kernels.items()):
            replicas = kernels.get(name + SUFFIX)
            if replicas is None:
                continue
            same += own == replicas
            if own != replicas:
                differ += 1
                print(f"{path}: {name}: alone {dict(own)}, as a replica {dict(replicas)}")
    print(f"{same} kernels do the same arithmetic in both entries, {differ} do not")
    return 1 if differ or not same else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
