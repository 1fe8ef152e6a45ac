#!/usr/bin/env python3
"""Writes what finished studies of study 1 found into docs/study1.md, between its markers.

    tools/scripts/study1_docs.py FOLDER...

The folders are those of `rote study study1/...`. Time is from the first run.toml to the last record. Rows of other studies
stay if they are from the same kind of machine. Nothing is written unless every run is complete.
"""

import datetime
import json
import os
import sys
import tomllib
from pathlib import Path

from quickstart_readme import ROOT, commits, fail, processor, records

BEGIN, END = "<!-- study1:begin -->", "<!-- study1:end -->"
CLOCK = "tau_mem[1%,k=1/3]"
HEAD = ("| study | runs, updates | minutes | tau_mem (1 %), 95 % interval | tau_gen | f_mem collapses within a factor of"
        " | commit, date |")


def exponents(report, clock):
    """Of the law in all axes: n^1.26 (1.03 to 1.49)."""
    law = next((e for e in report["landscape"]["exponents"] if e["clock"] == clock and not e["where"]), None)
    if law is None:
        laws = [e for e in report["landscape"]["exponents"] if e["clock"] == clock]
        return "; ".join("%s: %s" % (e["where"], powers(e)) for e in laws) or "-"
    return powers(law)


def powers(law):
    bounds = ", %d of %d runs are bounds" % (law["bounds"], law["known"] + law["bounds"]) if law["bounds"] else ""
    return " ".join(power(*item) for item in law["exponents"].items()) + bounds


def power(variable, found):
    low, high = found["low"], found["high"]
    ends = " (%.2f to %.2f)" % (low, high) if low is not None and high is not None else ""
    return "%s^%.2f%s" % (variable, found["value"], ends)


def collapses(report):
    found = [c for c in report["collapses"] if abs(c["k"] - 1 / 3) < 1e-6]
    return "; ".join("%s: %.2f (%.2f undivided)" % (c["variable"], c["factor"], c["factor_raw"]) for c in found) or "-"


def effort(folder):
    """Runs of a finished study, their updates, minutes from first to last, and the day."""
    runs = sorted((folder / "runs").iterdir())
    for run in runs:
        if not any(line["kind"] == "end" for line in records(run)):
            fail("%s: expected a complete run, found one without its end" % run)
    updates = sum(tomllib.loads((run / "run.toml").read_text())["train"]["steps"] for run in runs)
    begin = min((run / "run.toml").stat().st_mtime for run in runs)
    end = max((run / "metrics.jsonl").stat().st_mtime for run in runs)
    return runs, updates, "%d:%02d" % divmod(round(end - begin), 60), datetime.date.fromtimestamp(end)


def row(folder):
    report = json.loads((folder / "report.json").read_text())
    runs, updates, minutes, day = effort(folder)
    return "| `%s` | %d, %s | %s | %s | %s | %s | %s, %s |" % (
        report["name"], len(runs), "{:,}".format(updates), minutes, exponents(report, CLOCK),
        exponents(report, "tau_gen"), collapses(report), commits(runs), day)


def main():
    folders = [Path(argument) for argument in sys.argv[1:]]
    if not folders or not all((folder / "report.json").is_file() for folder in folders):
        sys.exit(__doc__)
    page = ROOT / "docs" / "study1.md"
    before, rest = page.read_text().split(BEGIN)
    block, after = rest.split(END)
    machine = "%d cores, %s." % (os.cpu_count(), processor())
    rows = {line.split("`")[1]: line for line in block.splitlines() if line.startswith("| `")}
    if rows and machine not in block:
        fail("%s: expected its rows to be from %s; give the folders of all studies" % (page, machine))
    for folder in folders:
        line = row(folder)
        rows[line.split("`")[1]] = line
    lines = [machine, "", HEAD, "|---" * (HEAD.count("|") - 1) + "|"] + [rows[name] for name in sorted(rows)]
    page.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)


if __name__ == "__main__":
    main()
