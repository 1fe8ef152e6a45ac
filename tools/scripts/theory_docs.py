#!/usr/bin/env python3
"""Writes the measured tables and pictures of docs/theory.md from folders of `rote theory`.

    tools/scripts/theory_docs.py theory-out

The folder holds the outputs of the bundled computations by name; those that are missing are left out of the table.
"""
import json
import math
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "theory.md"
BEGIN, END = "<!-- theory:begin -->", "<!-- theory:end -->"
PICTURES = {
    "theory-spectrum.png": ["spectrum-full/spectrum_identity_t_0.01_psi_p_64_psi_n_8.png",
                            "spectrum/spectrum_identity_t_0.01_psi_p_16_psi_n_4.png"],
    "theory-images.png": ["covariances-full/spectrum_images_t_0.01_psi_p_64_psi_n_8.png",
                          "covariances/spectrum_images_t_0.01_psi_p_16_psi_n_4.png"],
    "theory-losses.png": ["dynamics-full/losses_over_tau_mem.png", "dynamics/losses_over_tau_mem.png"],
    "theory-tails.png": ["tails-full/scaling_l_gen_at_level.png", "tails/scaling_l_gen_at_level.png"],
    "theory-map.png": ["map-full/map_gaussian_t0.1_tau10000.png", "map/map_gaussian_t0.1_tau10000.png"],
}
PAPER = {"least_e_score": "-0.59"}


def exponent(fit):
    low, high = fit.get("low"), fit.get("high")
    ends = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    return f"{fit['exponent']:.2f}{ends}"


NAMES = ["spectrum", "covariances", "dynamics", "times", "variance", "minimum", "descent", "adam", "map", "tails"]


def computed(out):
    """(name, numbers) of the computations that are there, the small one before its twin."""
    for name in NAMES:
        for full in (name, name + "-full"):
            file = out / full / "theory.json"
            if file.exists():
                yield full, json.loads(file.read_text())


def processor():
    """The processor's name, of /proc/cpuinfo."""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def made(out):
    rows = [f"On {processor()}; as many threads as cores.", "",
            "| computation | seconds | threads | commit | date |", "|---|---|---|---|---|"]
    for full, _ in computed(out):
        one = json.loads((out / full / "made.json").read_text())
        threads = re.search(r"(\d+) threads", one["linear algebra"]).group(1)
        rows.append(f"| `{full}` | {float(one['seconds']):.0f} | {threads} | {one['commit'][:12]} | {one['date'][:10]} |")
    return rows


def exponents(out):
    rows = ["| computation | group | time at a level of L_gen | half of its end | least E_score (paper -0.59) "
            "| tau_mem of Theorem 3.2 | curves of L_gen agree within, in tau / tau_mem (in tau) |",
            "|---|---|---|---|---|---|---|"]
    for full, numbers in computed(out):
        groups = {}
        for fit in numbers.get("exponents", []):
            group = groups.setdefault(fit["group"], {})
            if "exponent" in fit:
                group[fit["quantity"]] = exponent(fit)
            else:
                group[fit["quantity"]] = (f"a factor of {math.exp(math.sqrt(fit['score'])):.2f} "
                                          f"({math.exp(math.sqrt(fit['raw'])):.2f})")
        for group, fits in groups.items():
            cells = [fits.get(q, "–") for q in ("l_gen_at_level", "half_l_gen", "least_e_score", "tau_mem",
                                                "collapse_in_tau_mem")]
            rows.append(f"| `{full}` | {group or '–'} | " + " | ".join(cells) + " |")
    return rows


def percent(share):
    return "–" if share is None else f"{100 * share:.2g} %"


def spectra(out):
    rows = ["| computation | law | psi_p | psi_n | bulk 1: theory | formula | bulk 2: theory | mass "
            "| Gaussian equivalent differs by | features, from bulk 1 on |",
            "|---|---|---|---|---|---|---|---|---|---|"]
    for full, numbers in computed(out):
        for one in numbers.get("spectra", []):
            middle = (one["formula_low"] + one["formula_high"]) / 2
            bulk = next((b for b in one["bands"] if b["low"] < middle < b["high"]), None)
            last = one["bands"][-1]
            rows.append(f"| `{full}` | {one['law']} | {one['psi_p']:g} | {one['psi_n']:g} | "
                        + (f"{bulk['low']:.4f} to {bulk['high']:.4f}" if bulk else "–")
                        + f" | {one['formula_low']:.4f} to {one['formula_high']:.4f} | "
                        + f"{last['low']:.3g} to {last['high']:.3g} | {one['total']:.5f} | "
                        + f"{100 * one['distribution_distance']:.2g} % | {percent(one.get('features_distance'))} |")
    return rows


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    text = "\n".join([BEGIN, *spectra(out), "", *exponents(out), "", *made(out), END])
    page = DOC.read_text()
    DOC.write_text(re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: text, page, flags=re.S))
    for target, sources in PICTURES.items():
        found = next((out / s for s in sources if (out / s).exists()), None)
        if found:
            shutil.copy(found, ROOT / "docs" / "images" / target)


main()
