#!/bin/bash
# Copies the steps, samplings and searches of bench/results/cpu.md, gpu.md and gpu-search.md between the results markers of README.md;
# run-cpu.sh calls it.
set -euo pipefail
cd "$(dirname "$0")/.."

# The facts in a sentence, then the rows of whole jobs; of runs at once the most, of steps those of the newest results.
shorten() {
    awk -F' *[|] *' '
        /^- [a-z ]*: / { line = $0; sub(/^- [a-z ]*: /, "", line); name = $0; sub(/^- /, "", name); sub(/:.*/, "", name); fact[name] = line }
        /^[|] [a-z_]+ [|].*=|^[|] nearest/ { if (!/\[.*\]/ && !/ [14] runs |10000x4096x/) rows[++count] = "| " $2 " " $3 " | " $4 " | " $5 " | " $8 " | " $9 " | " $10 " |" }
        END {
            printf "%s%s%s; commit %s, %s. Median (10 %% to 90 %%).", fact["device"], fact["threads"] ? ", " fact["threads"] " threads" : "", fact["peers installed"] ? ", beside " fact["peers installed"] : "", fact["commit"], fact["date"]
            if (fact["later step"]) printf " Later step: %s.", fact["later step"]
            if (fact["not measured"]) printf " Not measured: %s.", fact["not measured"]
            print "\n\n| operation | type | ours, ms | best peer measured, ms | which | peer / ours |"
            print "|---|---|---|---|---|---|"
            for (i = 1; i <= count; i++) print rows[i]
        }' "$1"
}

table=$(mktemp)
trap 'rm -f "$table" "$table.readme"' EXIT
shorten bench/results/cpu.md >"$table"
if [ -f bench/results/gpu.md ]; then
    echo >>"$table"
    shorten bench/results/gpu.md >>"$table"
    echo >>"$table"
    shorten bench/results/gpu-search.md | grep -v '^| training_step' >>"$table"
    printf '\nEach operation of the step: [bench/results/gpu.md](bench/results/gpu.md); an earlier commit beside cuDNN, cuBLAS and PyTorch: [gpu-operations.md](bench/results/gpu-operations.md).\n' >>"$table"
fi
awk -v table="$table" '
    /<!-- results:end -->/ { inside = 0 }
    !inside { print }
    /<!-- results:begin -->/ { inside = 1; while ((getline line < table) > 0) print line }
    ' README.md >"$table.readme"
cp "$table.readme" README.md
