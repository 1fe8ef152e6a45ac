#!/usr/bin/env python3
"""Saves what JMH measured from its text log, where a case that failed later kept it from writing its JSON.

    bench/jmh-log-to-json.py LOG >FILE.json      the part of JMH's JSON that BenchReport reads
"""

import json
import re
import sys


def cases(lines):
    """(benchmark, parameters, samples, unit) of every case that ran to its end."""
    name, params, samples, unit, open_iteration = None, {}, [], None, False
    for line in lines:
        if line.startswith("# Benchmark: "):
            name, params, samples = line.split(": ", 1)[1].strip(), {}, []
        elif line.startswith("# Parameters: "):
            params = dict(re.findall(r"(\w+) = ([^,)]+)", line))
        elif line.startswith("Result "):
            yield name, params, samples, unit
        else:
            match = re.match(r"(Iteration +\d+: )?([\d.]+) (\w+/op)$", line.strip())
            if match and (match[1] or open_iteration):
                samples.append(float(match[2]))
                unit = match[3]
            # Output of the benchmark itself pushes a sample to a line of its own.
            open_iteration = not match and (open_iteration or re.match(r"Iteration +\d+: *$", line) is not None)


def main():
    with open(sys.argv[1]) as file:
        found = list(cases(file))
    if not found:
        sys.exit("jmh-log-to-json.py: %s: expected a log of JMH with a result, found none" % sys.argv[1])
    json.dump([{"benchmark": name, "params": params, "primaryMetric": {"scoreUnit": unit, "rawData": [samples]}}
               for name, params, samples, unit in found], sys.stdout, indent=1)


if __name__ == "__main__":
    main()
