"""Where the time of a step goes, from every launch of it: kernels by the time of all their launches, in three columns of a grid.

    trace_table.py RAW CSV      RAW: what `ncu --metrics gpu__time_duration.sum --csv --page raw` wrote

A step is what lies between the ends of two updates of the parameters; without two of them all launches count. Times are of
kernels one after another: streams that overlap make a step shorter than their sum.
"""

import collections
import csv
import re
import sys

from profile_table import microseconds, number, read

UPDATE = re.compile("(sgd|adam)_update")


def step(launches):
    """The launches of the last whole step, and whether there is one."""
    ends = [index for index, launch in enumerate(launches) if UPDATE.match(launch[0])]
    if len(ends) < 2:
        return launches, False
    return launches[ends[-2] + 1:ends[-1] + 1], True


def main():
    if len(sys.argv) != 3:
        sys.exit("trace_table.py: expected RAW CSV, found %d arguments" % (len(sys.argv) - 1))
    rows, units = read(sys.argv[1])
    metric = "gpu__time_duration.sum"
    launches, whole = step([
        (row["Kernel Name"].split("(")[0], row["Grid Size"], microseconds(number(row[metric]), units[metric])) for row in rows])
    times = collections.defaultdict(list)
    for kernel, grid, us in launches:
        times[kernel, grid].append(us)
    total = sum(us for _, _, us in launches)
    with open(sys.argv[2], "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kernel", "grid", "launches", "us", "all_us", "share_pct"])
        for (kernel, grid), us in sorted(times.items(), key=lambda item: -sum(item[1])):
            writer.writerow([kernel, grid, len(us), "%.2f" % (sum(us) / len(us)), "%.1f" % sum(us), "%.2f" % (100 * sum(us) / total)])
    by_kernel = collections.Counter()
    for kernel, _, us in launches:
        by_kernel[kernel] += us
    print("%d launches%s, %.3f ms one after another" % (len(launches), " of a step" if whole else "", total / 1e3))
    for kernel, us in by_kernel.most_common(15):
        print("%5.1f %% %9.1f us  %s" % (100 * us / total, us, kernel))


if __name__ == "__main__":
    main()
