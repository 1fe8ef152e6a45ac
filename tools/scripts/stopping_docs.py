#!/usr/bin/env python3
"""Writes what `rote stopping` finds into docs/early-stopping.md, between its markers.

    tools/scripts/stopping_docs.py "what the runs are" FOLDER...

The folders are those of studies such as stopping/adam-16. The first argument is the sentence that says which data and machines
they come from; commit and date are added.
"""

import datetime
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- stopping:begin -->", "<!-- stopping:end -->"


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    table = output("./rote", "stopping", *[str(pathlib.Path(folder).resolve()) for folder in sys.argv[2:]])
    commit = output("git", "rev-parse", "--short=12", "HEAD")
    source = "%s Judged at commit %s, %s." % (sys.argv[1], commit, datetime.date.today().isoformat())
    page = ROOT / "docs" / "early-stopping.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + BEGIN + "\n" + source + "\n\n" + table + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
