#!/usr/bin/env python3
"""Packs what `rote stopping` reads of finished studies: of each run the configuration and its measurements.

    tools/scripts/stopping_records.py FOLDER... OUT.tar.xz

The folders are those of studies such as stopping/adam-16; their last parts name them in the archive and must differ. Equal
runs give equal bytes. `tar xf OUT.tar.xz` makes folders again that `rote stopping` judges as it judges these, and no other
command can use. A sample's ratio d1 / d2 is only ever compared with the thresholds `measure.k`, so it is kept to two digits
below the largest of them and to one above, on the side of each threshold on which it was.
"""

import io
import json
import lzma
import math
import sys
import tarfile
import tomllib
from pathlib import Path

LOSS_TIME = 0.01  # stop.loss_time, unless a run says otherwise


def fail(sentence):
    print("stopping_records.py: " + sentence, file=sys.stderr)
    sys.exit(2)


def rounded(ratio, thresholds):
    """The ratio with few digits; below a threshold if, and only if, it was."""
    if isinstance(ratio, str):  # "Infinity": no second neighbour
        return ratio
    digits = 2 if ratio < max(thresholds) else 1
    result = round(ratio, digits)
    for k in thresholds:
        if ratio < k <= result:
            result = math.floor(ratio * 100) / 100
        elif result < k <= ratio:
            result = math.ceil(ratio * 100) / 100
    if any((ratio < k) != (result < k) for k in thresholds):
        return ratio
    return result


def measurement(record, thresholds, time):
    return {
        "kind": "measure",
        "step": record["step"],
        "samples": record["samples"],
        "ratios": [rounded(ratio, thresholds) for ratio in record["ratios"]],
        "frechet": {key: record["frechet"][key] for key in ("value", "features")},
        "losses": [
            {"t": loss["t"]} | {part: {"value": loss[part]["value"]} for part in ("train", "test") if part in loss}
            for loss in record.get("losses", [])
            if loss["t"] == time
        ],
    }


def records(run, config):
    """The measurements with samples and Fréchet distance, as lines. Of two at one step the later counts."""
    path = run / "metrics.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []  # what follows the last line feed is torn
    thresholds = config["measure"]["k"]
    time = config.get("stop", {}).get("loss_time", LOSS_TIME)
    found = {}
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            fail("%s:%d: expected a JSON object, found %s" % (path, number, error))
        if record["kind"] == "measure" and record["step"] > 0 and record.get("ratios") and "frechet" in record:
            found[record["step"]] = measurement(record, thresholds, time)
    text = "".join(json.dumps(found[step], separators=(",", ":"), ensure_ascii=False) + "\n" for step in sorted(found))
    return text.encode()


def files(folders):
    """Name in the archive and bytes."""
    for folder in folders:
        runs = sorted(run for run in (folder / "runs").glob("*") if (run / "run.toml").exists())
        if not runs:
            fail("%s: expected the folder of a study, found no run in it" % folder)
        for run in runs:
            text = (run / "run.toml").read_bytes()
            name = "%s/runs/%s/" % (folder.name, run.name)
            yield name + "run.toml", text
            yield name + "metrics.jsonl", records(run, tomllib.loads(text.decode()))


def entry(name, content):
    member = tarfile.TarInfo(name)  # of nobody, at no time
    member.size = len(content)
    member.mode = 0o644
    return member


def main():
    if len(sys.argv) < 3 or not sys.argv[-1].endswith(".tar.xz"):
        sys.exit(__doc__)
    folders = sorted((Path(folder).resolve() for folder in sys.argv[1:-1]), key=lambda folder: folder.name)
    names = [folder.name for folder in folders]
    if len(set(names)) < len(names):
        fail("folders: expected different last parts, found " + ", ".join(names))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in sorted(files(folders)):
            archive.addfile(entry(name, content), io.BytesIO(content))
    out = Path(sys.argv[-1])
    out.write_bytes(lzma.compress(packed.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    print("%s: %d studies, %.0f kB" % (out, len(folders), out.stat().st_size / 1000))


if __name__ == "__main__":
    main()
