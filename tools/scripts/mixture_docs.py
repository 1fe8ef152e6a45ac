#!/usr/bin/env python3
"""Writes what finished studies of the mixture found into docs/mixture.md, between its markers.

    tools/scripts/mixture_docs.py FOLDER...

The folders are those of `rote study study1/mixture-...`. Time is from the first run.toml to the last record. Nothing is
written unless every run is complete.
"""

import json
import os
import sys
from pathlib import Path

from quickstart_readme import ROOT, commits, headline, processor, records
from study1_docs import collapses, effort, power

BEGIN, END = "<!-- mixture:begin -->", "<!-- mixture:end -->"

# Clocks of a report, with what a table calls them.
CLOCKS = [
    ("tau_mem[2%,k=1/3]", "tau_mem (2 %)"),
    ("tau_mem[10%,k=1/3]", "tau_mem (10 %)"),
    ("tau_kl[1]", "tau_KL: KL within 1 nat of 0"),
    ("tau_gen_plateau", "KL within 1 nat of its plateau"),
    ("tau_kl_rise[1]", "KL more than 1 nat again"),
]

# What a point of a fit says that is no time: its reason where the report gives one, otherwise its state.
BOUNDS = {
    "copies come first": "%d not before copies",
    "still falling": "%d still falling",
    "not_reached": "%d not by the last step",
    "before_first": "%d before the first measurement",
    "never near 0": "%d never near 0",
}


def law(report, clock):
    """Exponent, range of the known times, and how many points are none: n^0.81 (0.69 to 0.93); 2,416 to 7,643."""
    fit = next((f for f in report["fits"] if f["clock"] == clock), None)
    if fit is None:
        return "-"
    found, variable = fit.get("law"), fit["variable"].replace("model.width", "W")
    parts = []
    if found:
        ends = {"value": found["slope"], "low": found["slope_low"], "high": found["slope_high"]}
        parts.append(power(variable, ends))
    times = [point["value"] for point in fit["points"] if point["state"] == "reached"]
    if times:
        parts.append("%s to %s" % tuple("{:,.0f}".format(end(times)) for end in (min, max)))
    why = [point.get("reason", point["state"]) for point in fit["points"] if point["state"] != "reached"]
    parts += [BOUNDS[each] % why.count(each) for each in sorted(set(why))]
    return "; ".join(parts)


def base_rate(runs):
    """The largest over the runs (k = 1/3), as a share and as held-out points."""
    found = [headline(line["memorized_fraction"]) for run in runs for line in records(run) if line["kind"] == "base_rate"]
    most = max(found, key=lambda rate: rate["value"])
    return "%.2g %% (at most %.2g %%)" % (100 * most["value"], 100 * most["wilson_high"])


def device(runs):
    return " and ".join(sorted({line["device"] for run in runs for line in records(run) if line["kind"] == "start"}))


def main():
    folders = [Path(argument) for argument in sys.argv[1:]]
    if not folders or not all((folder / "report.json").is_file() for folder in folders):
        sys.exit(__doc__)
    reports = [json.loads((folder / "report.json").read_text()) for folder in folders]
    efforts = [effort(folder) for folder in folders]
    names = ["`%s`" % report["name"].removeprefix("study1/") for report in reports]
    devices = sorted({device(runs) for runs, _, _, _ in efforts})
    lines = ["%d cores, %s; each run on %s." % (os.cpu_count(), processor(), " or ".join(devices)), "",
             "| study | runs, updates | minutes | f_mem collapses within a factor of | base rate | commit, date |",
             "|---|---|---|---|---|---|"]
    for name, report, (runs, updates, minutes, day) in zip(names, reports, efforts):
        lines.append("| %s | %d, %s | %s | %s | %s | %s, %s |" % (
            name, len(runs), "{:,}".format(updates), minutes, collapses(report), base_rate(runs), commits(runs), day))
    lines += ["", "| time | %s |" % " | ".join(names), "|---|" + "---|" * len(names)]
    for clock, text in CLOCKS:
        lines.append("| %s | %s |" % (text, " | ".join(law(report, clock) for report in reports)))
    page = ROOT / "docs" / "mixture.md"
    before, rest = page.read_text().split(BEGIN)
    page.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
