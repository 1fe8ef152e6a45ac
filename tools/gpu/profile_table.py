"""The few counters of ncu that say what holds a kernel up, one line for each profiled launch.

    profile_table.py RAW CSV        RAW: what `ncu --csv --page raw` wrote

Columns that this version of ncu does not know stay empty. Reasons of stalls are warps that wait per issued instruction.
"""

import csv
import sys

COLUMNS = (  # name, metrics of which the first that is there counts
    ("us", ("gpu__time_duration.sum",)),
    ("registers", ("launch__registers_per_thread",)),
    ("shared_bytes", ("launch__shared_mem_per_block",)),
    ("occupancy_theory_pct", ("sm__maximum_warps_per_active_cycle_pct",)),
    ("occupancy_pct", ("sm__warps_active.avg.pct_of_peak_sustained_active",)),
    ("sm_pct", ("sm__throughput.avg.pct_of_peak_sustained_elapsed",)),
    ("dram_pct", ("gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed",
                  "dram__throughput.avg.pct_of_peak_sustained_elapsed")),
    ("l2_pct", ("lts__t_sectors.avg.pct_of_peak_sustained_elapsed", "lts__throughput.avg.pct_of_peak_sustained_elapsed")),
    ("l1_pct", ("l1tex__throughput.avg.pct_of_peak_sustained_active",)),
)
STALL = "smsp__average_warps_issue_stalled_"
MOST_STALLS = 4


def read(path):
    """Rows as dictionaries, and the unit of each column; ncu writes messages of its own before the header."""
    with open(path, newline="") as file:
        lines = [line for line in file if line.startswith('"')]
    rows = list(csv.DictReader(lines))
    if len(rows) < 2:
        sys.exit("profile_table.py: %s: expected ncu's raw page, found no profiled launch" % path)
    return rows[1:], rows[0]


def number(text):
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def microseconds(value, unit):
    return value * {"s": 1e6, "second": 1e6, "ms": 1e3, "msecond": 1e3, "us": 1, "usecond": 1, "ns": 1e-3, "nsecond": 1e-3}[unit]


def line(row, units):
    values = {"kernel": row["Kernel Name"].split("(")[0], "grid": row.get("Grid Size", ""), "block": row.get("Block Size", "")}
    for name, metrics in COLUMNS:
        found = [(metric, number(row[metric])) for metric in metrics if metric in row]
        found = [(metric, value) for metric, value in found if value is not None]
        if found:
            metric, value = found[0]
            values[name] = "%.4g" % (microseconds(value, units[metric]) if name == "us" else value)
    tensor = [number(value) for metric, value in row.items()
              if metric and "tensor" in metric and metric.endswith("pct_of_peak_sustained_active")]
    if any(value is not None for value in tensor):
        values["tensor_pct"] = "%.4g" % max(value for value in tensor if value is not None)
    stalls = {metric[len(STALL):].split("_per_issue")[0]: number(value) for metric, value in row.items()
              if metric and metric.startswith(STALL) and "_per_issue_active" in metric and "not_issued" not in metric}
    worst = sorted((-value, name) for name, value in stalls.items() if value)[:MOST_STALLS]
    values["stalls"] = " ".join("%s=%.2f" % (name, -value) for value, name in worst)
    return values


def main():
    if len(sys.argv) != 3:
        sys.exit("profile_table.py: expected RAW CSV, found %d arguments" % (len(sys.argv) - 1))
    rows, units = read(sys.argv[1])
    names = ["kernel", "grid", "block"] + [name for name, _ in COLUMNS] + ["tensor_pct", "stalls"]
    lines = [line(row, units) for row in rows]
    with open(sys.argv[2], "w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(lines)
    for each in lines:
        print("  ".join("%s %s" % (name, each[name]) for name in names if each.get(name)))


if __name__ == "__main__":
    main()
