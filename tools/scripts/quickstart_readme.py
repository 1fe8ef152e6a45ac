#!/usr/bin/env python3
"""Writes a finished quick start into the README: its numbers between the markers, and a picture of its report.

    tools/scripts/quickstart_readme.py studies-out/quickstart

Needs Chromium for docs/images/quickstart.png. Time is from the first run.toml to the last record, so a report that is
written again does not change it. Nothing is written unless every run of the study is complete.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- quickstart:begin -->", "<!-- quickstart:end -->"
WIDTH, HEIGHT = 1200, 1500
PICTURE = "![Top of the quick start's report](docs/images/quickstart.png)"


def fail(sentence):
    print("quickstart_readme.py: " + sentence, file=sys.stderr)
    sys.exit(2)


def records(run):
    with open(run / "metrics.jsonl") as lines:
        return [json.loads(line) for line in lines]


def headline(fractions):
    return next(f for f in fractions if abs(f["k"] - 1 / 3) < 1e-6)


def copies(runs):
    """n -> last memorized fractions (k = 1/3) over seeds; samples; base rate: the largest, and its upper bound."""
    last, samples, base = {}, 0, (0.0, 0.0)
    for run in runs:
        lines = records(run)
        if not any(line["kind"] == "end" for line in lines):
            fail("%s: expected a complete run, found one without its end" % run)
        measured = [line for line in lines if line["kind"] == "measure"][-1]
        n = int(re.search(r"n=(\d+)", run.name).group(1))
        last.setdefault(n, []).append(headline(measured["memorized_fraction"])["value"])
        samples = measured["samples"]
        for line in lines:
            if line["kind"] == "base_rate":
                found = headline(line["memorized_fraction"])
                base = max(base, (found["value"], found["wilson_high"]))
    return dict(sorted(last.items())), samples, base


def commits(runs):
    """Of the program that trained; the report may have been written again by another."""
    found = {re.search(r'^commit = "([^"]*)"', (run / "run.toml").read_text(), re.M).group(1) for run in runs}
    return " and ".join(sorted(found))


def percent(values):
    low, high = round(100 * min(values)), round(100 * max(values))
    return "%d" % low if low == high else "%d–%d" % (low, high)


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown processor"


def sentences(folder):
    runs = sorted((folder / "runs").iterdir())
    report = json.loads((folder / "report.json").read_text())
    last, samples, base = copies(runs)
    begin = min((run / "run.toml").stat().st_mtime for run in runs)
    end = max((run / "metrics.jsonl").stat().st_mtime for run in runs)
    law = next(f["law"] for f in report["fits"] if f["clock"].startswith("tau_mem[1%"))
    minutes, seconds = divmod(round(end - begin), 60)
    return (
        "%d runs, %d:%02d minutes on %d cores (%s, commit %s, %s). Copies at the end: %s. Of held-out pictures, %s "
        "would pass for copies (at most %.1f %%, Wilson 95 %%). tau_mem (1 %%) grew as n^%.2f, 95 %% interval %.2f to %.2f."
        % (
            len(runs), minutes, seconds, os.cpu_count(), processor(), commits(runs),
            datetime.date.fromtimestamp(end),
            ", ".join("%s %% for n = %d" % (percent(values), n) for n, values in last.items())
            + " (%d samples each, k = 1/3)" % samples,
            "%.1f %%" % (100 * base[0]), 100 * base[1], law["slope"], law["slope_low"], law["slope_high"],
        ))


def picture(page, target):
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=5000",
             "--user-data-dir=" + profile, "--window-size=%d,%d" % (WIDTH, HEIGHT),
             "--screenshot=" + str(target), page.resolve().as_uri()],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wrapped(text, width=118):
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = (lines[-1] + " " + word).strip()
    return "\n".join(lines)


def main():
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "report.json").is_file():
        fail("expected the folder of a finished quick start, found %s" % " ".join(sys.argv[1:]))
    folder = Path(sys.argv[1])
    text = wrapped(sentences(folder))
    readme = ROOT / "README.md"
    old = readme.read_text()
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        fail("README.md: expected the markers %s and %s once each" % (BEGIN, END))
    target = ROOT / "docs" / "images" / "quickstart.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    picture(folder / "report.html", target)
    before, rest = old.split(BEGIN)
    readme.write_text(before + BEGIN + "\n" + PICTURE + "\n\n" + text + "\n" + END + rest.split(END)[1])
    print(text)


if __name__ == "__main__":
    main()
