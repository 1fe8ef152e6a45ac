"""Images for an audit whose answer is known, and whether it was found.

    audit_images.py make FOLDER [--training 50000 --samples 50000 --heldout 10000 --size 32 --planted 100 --seed 1]
    audit_images.py check FOLDER CSV             CSV: the audit's neighbours.csv
    audit_images.py times FOLDER LOG SECONDS     LOG: its standard error; SECONDS: of the whole command

`make` writes training.npy, samples.npy, heldout.npy (u8 [n, size, size, 3]) and planted.json. An image is a sum of 24 cosines of
low frequency, whose amplitudes fall with the frequency, in three correlated channels, and a little noise. The first
samples are copies: `planted` exact ones, as many shifted by one grey level, as many with normal noise of 4 levels; each
of a training image of its own.
`check` prints how many copies of each kind have their original as the nearest training image and are called copies by the
audit, how many other samples are, and ends with status 1 unless every copy was found, the exact ones at distance 0.
`times` prints a JSON line for the whole command and one for each part that the log names, for the report of benchmarks.
"""

import argparse
import csv
import json
import math
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy

WAVES = 24
BLOCK = 500  # images of one task, each with its own generator: the images do not depend on the number of threads
KINDS = ("exact", "shifted", "noisy")


def fields(seed, count, size):
    """u8 [count, size, size, 3]."""
    random = numpy.random.default_rng(seed)
    kinds = numpy.array([(u, v) for u in range(5) for v in range(-4, 5) if (u, v) > (0, 0)][:WAVES], numpy.float32)
    fall = 1 / (1 + (kinds ** 2).sum(1))
    amplitudes = random.standard_normal((count, WAVES, 3), numpy.float32)
    amplitudes = (amplitudes + 2 * amplitudes.mean(2, keepdims=True)) * fall[None, :, None]
    phases = random.random((count, WAVES, 1, 1), numpy.float32) * numpy.float32(2 * math.pi)
    line = numpy.arange(size, dtype=numpy.float32) * numpy.float32(math.pi / size)
    waves = kinds[:, 0, None, None] * line[:, None] + kinds[:, 1, None, None] * line
    basis = numpy.cos(waves[None] + phases).reshape(count, WAVES, size * size)
    images = numpy.matmul(basis.transpose(0, 2, 1), amplitudes)
    images += random.normal(0.0, 0.02, (count, 1, 3)).astype(numpy.float32)
    images += numpy.float32(0.01) * random.standard_normal(images.shape, numpy.float32)
    levels = numpy.clip(numpy.rint(127.5 + 90 * images), 0, 255)
    return levels.astype(numpy.uint8).reshape(count, size, size, 3)


def draw(seed, count, size):
    images = numpy.empty((count, size, size, 3), numpy.uint8)

    def fill(first):
        images[first:first + BLOCK] = fields([seed, first], min(BLOCK, count - first), size)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(fill, range(0, count, BLOCK)))
    return images


def make(arguments):
    training = draw(arguments.seed, arguments.training, arguments.size)
    samples = draw(arguments.seed + 1, arguments.samples, arguments.size)
    heldout = draw(arguments.seed + 2, arguments.heldout, arguments.size)
    random = numpy.random.default_rng(arguments.seed + 3)
    copies = len(KINDS) * arguments.planted
    if copies > min(arguments.training, arguments.samples):
        sys.exit("audit_images.py: expected at most %d copies, found %d"
                 % (min(arguments.training, arguments.samples), copies))
    originals = random.permutation(arguments.training)[:copies]
    exact, shifted, noisy = numpy.split(numpy.arange(copies), len(KINDS))
    samples[:copies] = training[originals]
    levels = samples[shifted].astype(numpy.int16)
    samples[shifted] = numpy.where(levels == 255, 254, levels + 1)
    levels = samples[noisy] + random.normal(0, 4, samples[noisy].shape)
    samples[noisy] = numpy.clip(numpy.rint(levels), 0, 255)
    os.makedirs(arguments.folder, exist_ok=True)
    for name, images in (("training", training), ("samples", samples), ("heldout", heldout)):
        numpy.save(os.path.join(arguments.folder, name + ".npy"), images)
    with open(os.path.join(arguments.folder, "planted.json"), "w") as file:
        json.dump({kind: [[int(i), int(originals[i])] for i in part]
                   for kind, part in zip(KINDS, (exact, shifted, noisy))}, file)


def check(arguments):
    with open(os.path.join(arguments.folder, "planted.json")) as file:
        planted = json.load(file)
    with open(arguments.csv, newline="") as file:
        lines = list(csv.DictReader(file))
    right = True
    for kind, pairs in planted.items():
        at = [lines[sample] for sample, _ in pairs]
        found = sum(int(line["training_1"]) == original for line, (_, original) in zip(at, pairs))
        called = sum(line["copy"] == "1" for line in at)
        distances = [float(line["distance_1"]) for line in at]
        print("%s copies: %d planted, %d found, %d called copies, distances %.5f to %.5f"
              % (kind, len(pairs), found, called, min(distances), max(distances)))
        right &= found == called == len(pairs) and (kind != "exact" or max(distances) == 0)
    copies = {sample for pairs in planted.values() for sample, _ in pairs}
    others = [line for i, line in enumerate(lines) if i not in copies]
    ratios = sorted(float(line["ratio"]) for line in others)
    print("other samples: %d of %d called copies, d1/d2 from %.3f, median %.3f"
          % (sum(line["copy"] == "1" for line in others), len(others), ratios[0], ratios[len(ratios) // 2]))
    if not right:
        sys.exit("audit_images.py: expected every copy found and called so, exact ones at distance 0")


def times(arguments):
    counts = {}
    for name in ("samples", "training", "heldout"):
        images = numpy.load(os.path.join(arguments.folder, name + ".npy"), mmap_mode="r")
        counts[name] = len(images)
    shape = "%d in %d, %d held out, %s" % (counts["samples"], counts["training"], counts["heldout"],
                                           "x".join(map(str, images.shape[1:])))
    with open(arguments.log) as file:
        marks = re.findall(r"^(.+) \(after ([0-9.]+) s\)$", file.read(), re.MULTILINE)
    if not marks:
        sys.exit("audit_images.py: %s: expected lines such as 'PART (after 1.25 s)', found none" % arguments.log)
    names = ["reading"] + [name for name, _ in marks]
    ends = [float(after) for _, after in marks] + [arguments.seconds]  # the last part: with the program's start and end
    begins = [0.0] + ends[:-1]
    parts = [("audit", arguments.seconds)] + [("audit: " + n, e - b) for n, b, e in zip(names, begins, ends)]
    for name, seconds in parts:
        milliseconds = round(1e3 * seconds, 1)
        print(json.dumps({"benchmark": name, "shape": shape, "type": "u8", "threads": os.cpu_count(),
                          "items": counts["samples"], "samples": 1, "median_ms": milliseconds, "p10_ms": milliseconds,
                          "p90_ms": milliseconds}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("make")
    made.add_argument("folder")
    for name, default in (("training", 50000), ("samples", 50000), ("heldout", 10000), ("size", 32), ("planted", 100),
                          ("seed", 1)):
        made.add_argument("--" + name, type=int, default=default)
    checked = commands.add_parser("check")
    checked.add_argument("folder")
    checked.add_argument("csv")
    timed = commands.add_parser("times")
    timed.add_argument("folder")
    timed.add_argument("log")
    timed.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    {"make": make, "check": check, "times": times}[arguments.command](arguments)


if __name__ == "__main__":
    main()
