#!/bin/bash
# Copies bench/results/cpu.md, shortened, between the results markers of README.md; run-cpu.sh calls it.
set -euo pipefail
cd "$(dirname "$0")/.."

table=$(mktemp)
trap 'rm -f "$table" "$table.readme"' EXIT
awk -F' *[|] *' '
    /^- (device|threads|commit|date|peers installed): / { line = $0; sub(/^- [a-z ]*: /, "", line); name = $0; sub(/^- /, "", name); sub(/:.*/, "", name); fact[name] = line }
    /^[|] [a-z_]+ [|].*=|^[|] nearest/ { rows[++count] = "| " $2 " " $3 " | " $4 " | " $5 " | " $8 " | " $9 " | " $10 " |" }
    END {
        printf "%s, %s threads, beside %s; commit %s, %s. Median (10 %% to 90 %%).\n\n", fact["device"], fact["threads"], fact["peers installed"], fact["commit"], fact["date"]
        print "| operation | type | ours, ms | best peer, ms | which | peer / ours |"
        print "|---|---|---|---|---|---|"
        for (i = 1; i <= count; i++) print rows[i]
    }' bench/results/cpu.md >"$table"
awk -v table="$table" '
    /<!-- results:end -->/ { inside = 0 }
    !inside { print }
    /<!-- results:begin -->/ { inside = 1; while ((getline line < table) > 0) print line }
    ' README.md >"$table.readme"
cp "$table.readme" README.md
