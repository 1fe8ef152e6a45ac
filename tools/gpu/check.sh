#!/bin/bash
# Checks and measures Rote on a GPU, from the bundle that tools/gpu/bundle.sh packs; needs the NVIDIA driver, and for
# some parts compute-sanitizer and Python with PyTorch. Every step is bounded in time and reported, whatever the others do.
#
#   check.sh                       all parts, in order
#   check.sh --part tests          one part: doctor, tests, sanitizer, bench or report; may be repeated
#   --out FOLDER                   for logs, results and the archive of them (default ./rote-check)
#   --standin LIBRARY              a rehearsal on the stand-in for the driver, with small sizes
#
# The last lines are a table of the steps. Exit status: 0, or 1 when a step failed.
set -uo pipefail
home=$(cd "$(dirname "$0")" && pwd -P)
out=rote-check
parts=()
standin=
while [ $# -gt 0 ]; do
    case $1 in
        --part) parts+=("$2"); shift ;;
        --out) out=$2; shift ;;
        --standin) standin=$(realpath "$2"); shift ;;
        *) echo "check.sh: expected --part, --out or --standin, found $1" >&2; exit 2 ;;
    esac
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=(doctor tests sanitizer bench report)
mkdir -p "$out"
out=$(cd "$out" && pwd -P)
steps=$out/steps.tsv
touch "$steps"

java=("$home/runtime/bin/java" --enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector
    -Dorg.lwjgl.system.memoryBackend=ffm -Djava.awt.headless=true -XX:+UseParallelGC -Xmx8g)
if [ -n "$standin" ]; then
    java+=("-Drote.standin=$standin" "-Drote.standin.library=$standin")
else
    java+=(-Drote.test.gpu=true)
fi
class_path="$home/lib/*"

# Runs a command with a limit in seconds; its output goes to NAME.log, its outcome and time to the table.
step() { # name, limit, command
    local name=$1 limit=$2 begin status
    shift 2
    begin=$(date +%s%N)
    timeout -k 5 "$limit" "$@" >"$out/$name.log" 2>&1
    status=$?
    local outcome="status $status"
    if [ $status = 124 ] || [ $status = 137 ]; then outcome="stopped after $limit s"; fi
    printf '%s\t%s\t%d ms\n' "$name" "$outcome" $((($(date +%s%N) - begin) / 1000000)) >>"$steps"
    return $status
}

# For step: a command of the program; the tests of a class on the GPU.
rote=("${java[@]}" -cp "$home/lib/*" dev.rote.tools.Rote)
junit=(-Drote.test.cpu="$home/cpu" -cp "$home/lib/*:$home/tests" org.junit.platform.console.ConsoleLauncher execute
    --disable-banner --disable-ansi-colors --details=summary)
tests=dev.rote.device.cuda

doctor() {
    if command -v nvidia-smi >/dev/null; then step nvidia-smi 20 nvidia-smi; fi
    step doctor 30 "${rote[@]}" doctor
    cat "$out/doctor.log"
}

# Kernels against their definitions, golden values, draws' bits, 200 updates beside the CPU's, twice the same bits;
# a study killed and resumed.
tests() {
    local every=()
    if [ -n "$standin" ]; then every=(-Drote.test.every=20); fi
    step operations 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaOperationsTest &
    step tensor-cores 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaTensorCoreTest &
    step reductions 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaReductionTest &
    step training 150 "${java[@]}" "${junit[@]}" --select-class $tests.CudaTrainingTest &
    study &
    wait $(jobs -p)
    for name in operations tensor-cores reductions training; do
        grep -E 'tests (successful|failed)' "$out/$name.log" | tr -s ' \n[]' ' ' | sed "s/^/$name:/"
        echo
    done
}

# The smoke study whole, and again killed at its first checkpoint and resumed: equal bits.
study() {
    local whole=$out/study/whole killed=$out/study/killed
    rm -rf "$out/study"
    mkdir -p "$out/study"
    local command=("${rote[@]}" study smoke --jobs 1 --set 'device="cuda"' --out)
    step study 120 "${command[@]}" "$whole" || return
    "${command[@]}" "$killed" >"$out/study-killed.log" 2>&1 &
    local victim=$! waited=0
    until [ -n "$(find "$killed" -name '*.safetensors' -path '*checkpoints*' 2>/dev/null | head -n 1)" ] || [ $((waited += 1)) -gt 600 ]; do
        sleep 0.1
    done
    kill -9 $victim
    wait $victim 2>/dev/null
    step study-resumed 120 "${command[@]}" "$killed" || return
    step study-equal 20 sh -c 'cd "$1" && find . -name "*.safetensors" | sort | while read -r f; do cmp "$f" "$2/$f" || exit 1; done' \
        sh "$whole" "$killed"
}

# A share of the kernels' cases under the three checkers.
sanitizer() {
    if [ -n "$standin" ] || ! command -v compute-sanitizer >/dev/null; then
        printf 'sanitizer\tleft out: no compute-sanitizer\t0 ms\n' >>"$steps"
        return
    fi
    local tool
    for tool in memcheck racecheck synccheck; do
        local every=${ROTE_SANITIZER_EVERY:-40}
        step "$tool" 150 compute-sanitizer --tool $tool --target-processes all --error-exitcode 9 --print-limit 20 \
            "${java[@]}" -Drote.test.every="$every" "${junit[@]}" \
            --select-method "$tests.CudaOperationsTest#agreesWithTheDefinition(dev.rote.reference.OpCase)" \
            --select-method "$tests.CudaOperationsTest#agreesWithTheDefinitionInBf16(dev.rote.reference.OpCase)" \
            --select-class $tests.CudaTensorCoreTest --select-class $tests.CudaReductionTest &
    done
    wait $(jobs -p)
    grep -H 'ERROR SUMMARY\|RACECHECK SUMMARY' "$out"/{memcheck,racecheck,synccheck}.log | sed 's/.*\///'
}

# Whether the peers can run: Python 3 with PyTorch and a GPU.
peers=no
if [ -z "$standin" ] && python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    peers=yes
    export TORCHINDUCTOR_CACHE_DIR=$out/inductor TORCHINDUCTOR_FX_GRAPH_CACHE=1 PYTHONUNBUFFERED=1
fi
warming=
# Compiles what the peers need while our tests run; nothing is timed then.
warm() {
    if [ $peers = yes ]; then
        step peers-warm 240 python3 "$home/peers/study1_unet.py" warm --device cuda --width 32 --precision bf16 --batch 512 &
        warming=$!
    fi
}

for part in "${parts[@]}"; do
    case $part in
        doctor | tests | sanitizer | bench | report) ;;
        *) echo "check.sh: --part: expected doctor, tests, sanitizer, bench or report, found $part" >&2; exit 2 ;;
    esac
done
if [[ " ${parts[*]} " = *" bench "* ]]; then warm; fi
for part in "${parts[@]}"; do
    echo "== $part"
    "$part"
done
echo "== steps"
column -t -s "$(printf '\t')" "$steps" 2>/dev/null || cat "$steps"
tar -C "$out" --exclude=inductor --exclude=study -czf "$out.tar.gz" .
echo "$out.tar.gz: $(stat -c %s "$out.tar.gz") bytes"
! grep -qv "status 0" "$steps"
