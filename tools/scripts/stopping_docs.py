#!/usr/bin/env python3
"""Writes what `rote stopping` finds into docs/early-stopping.md, between two markers.

    tools/scripts/stopping_docs.py [--block NAME] [--only WORD] [--priors] "what the runs are" FOLDER...

The folders are those of studies such as stopping/adam-16. The first argument is the sentence that says which data and machines
they come from; commit and date are added. The markers are NAME:begin and NAME:end (stopping). With --only, of the tables
those whose titles begin with the word. With --priors, the tables of `rote stopping --priors`.
"""

import argparse
import datetime
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def only(word, text):
    """The first line and the tables whose titles, `**Forecasts of tau_mem**`, begin with the word."""
    first, *parts = re.split(r"\n(?=\*\*)", text)
    kept = [part for part in parts if part.startswith("**" + word)]
    return "\n\n".join(part.strip() for part in [first, *kept])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--block", default="stopping")
    parser.add_argument("--only", default="")
    parser.add_argument("--priors", action="store_true")
    parser.add_argument("source")
    parser.add_argument("folders", nargs="+", type=lambda folder: str(pathlib.Path(folder).resolve()))
    given = parser.parse_args()
    table = only(given.only, output("./rote", "stopping", *["--priors"] * given.priors, *given.folders))
    commit = output("git", "rev-parse", "--short=12", "HEAD")
    source = "%s Judged at commit %s, %s." % (given.source, commit, datetime.date.today().isoformat())
    page = ROOT / "docs" / "early-stopping.md"
    begin, end = ("<!-- %s:%s -->" % (given.block, edge) for edge in ("begin", "end"))
    before, rest = page.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    page.write_text(before + begin + "\n" + source + "\n\n" + table + "\n" + end + after, encoding="utf-8")


if __name__ == "__main__":
    main()
