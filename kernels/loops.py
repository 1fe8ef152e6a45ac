"""What the loops of a kernel issue: instructions by name, from its machine code.

    nvcc -std=c++17 -O3 -Icommon -arch=sm_90a -cubin -o FILE.cubin FILE.cu
    python3 kernels/loops.py FILE.cubin KERNEL [NAME]

A line for each backward branch: where the loop begins and ends, its instructions, the cycles that a warp alone waits between them
whatever memory does, and how many there are of each kind, the most first. NAME leaves out loops without that instruction (HMMA,
GMMA, MUFU). Inner loops are counted in outer ones; what a branch may skip is counted too. A multiprocessor issues four instructions a
cycle, one for each quarter of its warps. Exit status 2 if there is no such kernel.
"""
import collections
import struct
import sys

from entries import INSTRUCTION, PREFIX, sections

# The low nine bits of an instruction, from sm_80 on; others are printed as a number.
NAMES = {
    0x002: "MOV", 0x005: "CS2R", 0x007: "SEL", 0x008: "FSEL", 0x009: "FMNMX", 0x00B: "FSETP", 0x00C: "ISETP", 0x010: "IADD3",
    0x011: "LEA", 0x012: "LOP3", 0x016: "PRMT", 0x019: "SHF", 0x020: "FMUL", 0x021: "FADD", 0x023: "FFMA", 0x024: "IMAD",
    0x025: "IMAD.WIDE", 0x030: "HADD2", 0x031: "HFMA2", 0x032: "HMUL2", 0x03B: "LDSM", 0x03C: "HMMA", 0x03E: "F2FP",
    0x048: "WARPSYNC", 0x082: "UMOV", 0x090: "UIADD3", 0x099: "USHF", 0x0CA: "R2UR", 0x108: "MUFU", 0x118: "NOP", 0x119: "S2R",
    0x11A: "DEPBAR", 0x11D: "BAR", 0x141: "BSYNC", 0x145: "BSSY", 0x147: "BRA", 0x14D: "EXIT", 0x181: "LDG", 0x182: "LDC",
    0x184: "LDS", 0x186: "STG", 0x188: "STS", 0x189: "SHFL", 0x1AE: "LDGSTS", 0x1C4: "REDUX", 0x1F0: "GMMA",
}
BRANCH = 0x147


def decoded(code):
    """Name, cycles until the next one, and the target of a branch, else None, of each instruction."""
    for at in range(0, len(code), INSTRUCTION):
        low, high = struct.unpack_from("<QQ", code, at)
        target = None
        if low & 0x1FF == BRANCH:
            above = (low >> 34) | (high & 0x3FFFF) << 30
            above -= (above >> 47) << 48
            target = at + INSTRUCTION + 4 * (above << 8 | (low >> 16) & 0xFF)
        yield NAMES.get(low & 0x1FF, hex(low & 0x1FF)), high >> 41 & 15, target


def main(path, kernel, wanted=None):
    with open(path, "rb") as file:
        code = dict(sections(file.read())).get(PREFIX + kernel)
    if code is None:
        print(f"loops.py: {path}: expected a kernel {kernel}, found none", file=sys.stderr)
        return 2
    instructions = list(decoded(code))
    print(f"{kernel}: {len(instructions)} instructions")
    for end, (_, _, target) in enumerate(instructions):
        if target is None or target > end * INSTRUCTION:
            continue
        body = instructions[target // INSTRUCTION:end + 1]
        count = collections.Counter(name for name, _, _ in body)
        if wanted and wanted not in count:
            continue
        kinds = ", ".join(f"{name} {times}" for name, times in count.most_common())
        print(f"{target:#x} to {end * INSTRUCTION:#x}: {len(body)}, {sum(cycles for _, cycles, _ in body)} cycles: {kinds}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
