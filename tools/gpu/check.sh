#!/bin/bash
# Checks and measures Rote on a GPU, from the bundle that tools/gpu/bundle.sh packs; needs the NVIDIA driver, and for
# some parts compute-sanitizer and Python with PyTorch. Every step is bounded in time and reported, whatever the others do.
#
#   check.sh                       the parts of a whole check, in order: doctor tests sanitizer sweep audit memorization
#                                  bench report; what the peers must compile is compiled meanwhile
#   check.sh --part tests          one part; may be repeated. doctor: what is there. tests: kernels, golden values, bits,
#                                  200 updates. study: a study killed and resumed, then the quick start. sanitizer:
#                                  compute-sanitizer on a share of the cases. warm: what the peers must compile. sweep:
#                                  small runs that share the GPU, and the peer's one after another. audit: copies planted
#                                  among 50,000 images. memorization: the memorized fraction in the loop. bench: the rest,
#                                  ours and the peers. profile: counters of chosen kernels by ncu, and their instructions with
#                                  samples, bank conflicts and reasons of stalls. trace: every launch of
#                                  a step, and of 16 small runs as one program, by ncu. apart: a step without each of the
#                                  launches that join nodes. report: the table and its JSON
#                                  vendor, vendor-bench: what is by cuBLAS and cuDNN inside Rote, alone
#   --seconds N                    of the whole call: what does not fit any more is cut short or left out
#   --out FOLDER                   for logs, results and the archive of them (default ./rote-check)
#   --standin LIBRARY              a rehearsal on the stand-in for the driver, with small sizes
#
# The last lines are a table of the steps. Exit status: 0, or 1 when a step failed.
set -uo pipefail
home=$(cd "$(dirname "$0")" && pwd -P)
out=rote-check
parts=()
standin=
call_seconds=
while [ $# -gt 0 ]; do
    case $1 in
        --part) parts+=("$2"); shift ;;
        --out) out=$2; shift ;;
        --standin) standin=$(realpath "$2"); shift ;;
        --seconds) call_seconds=$2; shift ;;
        *) echo "check.sh: expected --part, --seconds, --out or --standin, found $1" >&2; exit 2 ;;
    esac
    shift
done
whole=no
[ ${#parts[@]} -gt 0 ] || { whole=yes; parts=(doctor tests sanitizer sweep audit memorization bench report); }
case $call_seconds in
    *[!0-9]*) echo "check.sh: --seconds: expected a whole number, found $call_seconds" >&2; exit 2 ;;
esac
mkdir -p "$out"
out=$(cd "$out" && pwd -P)
steps=$out/steps.tsv
touch "$steps"

java=("$home/runtime/bin/java" --enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector
    -Dorg.lwjgl.system.memoryBackend=ffm -Djava.awt.headless=true -XX:+UseParallelGC -Xmx8g)
if [ -n "$standin" ]; then
    java+=("-Drote.standin=$standin" "-Drote.standin.library=$standin" "-Drote.vendor=$(dirname "$standin")/vendor")
else
    java+=(-Drote.test.gpu=true)
fi
class_path="$home/lib/*"

# Runs a command with a limit in seconds; its output goes to NAME.log, its outcome and time to the table.
step() { # name, limit, command
    local name=$1 limit=$2 begin status
    shift 2
    if [ -n "$call_seconds" ] && [ $limit -gt $((call_seconds - SECONDS)) ]; then
        limit=$((call_seconds - SECONDS))
        if [ $limit -lt 4 ]; then
            left_out "$name" "the call's $call_seconds s are over"
            return 1
        fi
    fi
    begin=$(date +%s%N)
    # In this script's process group, so that who stops the script stops its steps as well.
    timeout --foreground -s "${at_limit:-TERM}" -k 5 "$limit" "$@" >"$out/$name.log" 2>&1
    status=$?
    local outcome="status $status"
    if [ $status = 124 ] || [ $status = 137 ]; then outcome="stopped after $limit s"; fi
    printf '%s\t%s\t%d ms\n' "$name" "$outcome" $((($(date +%s%N) - begin) / 1000000)) >>"$steps"
    return $status
}

# A line of the table for what was not run.
left_out() { # name, why
    printf '%s\tleft out: %s\t0 ms\n' "$1" "$2" >>"$steps"
}

# For step: a command of the program; the tests of a class on the GPU.
rote=("${java[@]}" -cp "$home/lib/*" dev.rote.tools.Rote)
junit=(-Drote.test.cpu="$home/cpu" -cp "$home/lib/*:$home/tests" org.junit.platform.console.ConsoleLauncher execute
    --disable-banner --disable-ansi-colors --details=testfeed)
tests=dev.rote.device.cuda

doctor() {
    if command -v nvidia-smi >/dev/null; then step nvidia-smi 20 nvidia-smi; fi
    step doctor 30 "${rote[@]}" doctor
    cat "$out/doctor.log"
}

# Kernels against their definitions, golden values, draws' bits, 200 updates beside the CPU's, twice the same bits.
tests() {
    local every=() running=() at_limit=QUIT # stopped at the limit, a JVM writes where its threads are
    if [ -n "$standin" ]; then every=(-Drote.test.every=20); fi
    step operations 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaOperationsTest &
    running+=($!)
    step tensor-cores 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaTensorCoreTest &
    running+=($!)
    step reductions 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaReductionTest \
        --select-class $tests.CudaAttentionTest --select-class $tests.CudaNormSumTest \
        --select-class $tests.CudaGroupNormTest --select-class $tests.CudaNormDropoutTest \
        --select-class $tests.CudaNormJoinedSumTest --select-class $tests.CudaNormTotalsTest \
        --select-class $tests.CudaNormTurnsTest &
    running+=($!)
    step training 150 "${java[@]}" "${junit[@]}" --select-class $tests.CudaTrainingTest --select-class $tests.CudaBindingsTest \
        --select-class $tests.CudaSideBySideTest --select-class $tests.CudaMlpTest & # not CudaDescentTest: needs OpenBLAS
    running+=($!)
    step convolutions 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaHaloTest \
        --select-class $tests.CudaNarrowConvolutionTest --select-class $tests.CudaSmallConvolutionTest \
        --select-class $tests.CudaConvolutionSumTest &
    running+=($!)
    step weights 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaWeightGradientTest \
        --select-class $tests.CudaOptimizerTest --select-class $tests.CudaFusionTest --select-class $tests.CudaGroupedLinearTest &
    running+=($!)
    step sm90 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaSm90ConvolutionTest \
        --select-class $tests.CudaSm90LinearTest --select-class $tests.CudaSm90SumTest \
        --select-class $tests.CudaSkipConvolutionTest --select-class $tests.CudaAttentionBlockTest \
        --select-class $tests.CudaLinearGradientsTest --select-class $tests.CudaLossHeadTest \
        --select-class $tests.CudaDrawnStemTest --select-class $tests.CudaStridedConvolutionTest &
    running+=($!)
    step replicas 150 "${java[@]}" "${junit[@]}" --select-class $tests.CudaReplicasTest --select-class $tests.ReplicaLaunchesTest \
        --select-class $tests.LateSumsTest &
    running+=($!)
    step nearest 150 "${java[@]}" "${junit[@]}" --select-class $tests.CudaNearestTest --select-class $tests.CudaNearestInputTest \
        --select-class $tests.CudaNearestRealImagesTest &
    running+=($!)
    vendor &
    running+=($!)
    wait "${running[@]}"
    for name in operations tensor-cores reductions training convolutions weights sm90 replicas nearest vendor; do
        grep -E 'tests (successful|failed)' "$out/$name.log" | tr -s ' \n[]' ' ' | sed "s/^/$name:/"
        echo
    done
}

# NVIDIA's products and convolutions in Rote; skipped where cuBLAS or cuDNN is not found (ROTE_VENDOR_LIBRARIES names
# folders to look in).
vendor() {
    local every=("-Drote.test.every=${ROTE_VENDOR_EVERY:-2}") # a first call of a kind may compile for a second
    if [ -n "$standin" ]; then every=(-Drote.test.every=20); fi
    step vendor 240 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaVendorTest \
        --select-class $tests.CublasForwardTest --select-class $tests.VendorLibrariesTest
}

# The smoke study whole, and again killed at its first checkpoint and resumed: equal bits. Then the quick start.
study() {
    resumed
    if [ -z "$standin" ]; then
        step quickstart "${ROTE_QUICKSTART_SECONDS:-240}" "${rote[@]}" study quickstart --device cuda --out "$out/study/quickstart"
    fi
}
resumed() {
    local whole=$out/study/whole killed=$out/study/killed
    rm -rf "$out/study"
    mkdir -p "$out/study"
    local command=("${rote[@]}" study smoke --jobs 1 --device cuda --out)
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
        left_out sanitizer "no compute-sanitizer"
        return
    fi
    local tool running=()
    for tool in memcheck racecheck synccheck; do
        local every=${ROTE_SANITIZER_EVERY:-40}
        step "$tool" 150 compute-sanitizer --tool $tool --target-processes all --error-exitcode 9 --print-limit 20 \
            "${java[@]}" -Drote.test.every="$every" "${junit[@]}" \
            --select-method "$tests.CudaOperationsTest#agreesWithTheDefinition(dev.rote.reference.OpCase)" \
            --select-method "$tests.CudaOperationsTest#agreesWithTheDefinitionInBf16(dev.rote.reference.OpCase)" \
            --select-class $tests.CudaGroupedLinearTest \
            --select-class $tests.CudaTensorCoreTest --select-class $tests.CudaReductionTest \
            --select-class $tests.CudaHaloTest --select-class $tests.CudaWeightGradientTest \
            --select-class $tests.CudaAttentionTest --select-class $tests.CudaNormSumTest \
            --select-class $tests.CudaGroupNormTest --select-class $tests.CudaSm90ConvolutionTest \
            --select-class $tests.CudaNormDropoutTest --select-class $tests.CudaNormJoinedSumTest \
            --select-class $tests.CudaNormTotalsTest \
            --select-class $tests.CudaSm90SumTest --select-class $tests.CudaSkipConvolutionTest \
            --select-class $tests.CudaNarrowConvolutionTest --select-class $tests.CudaSmallConvolutionTest \
            --select-class $tests.CudaSm90LinearTest --select-class $tests.CudaAttentionBlockTest \
            --select-class $tests.CudaLinearGradientsTest --select-class $tests.CudaLossHeadTest \
            --select-class $tests.CudaDrawnStemTest --select-class $tests.CudaStridedConvolutionTest &
        running+=($!)
    done
    wait "${running[@]}"
    grep -H 'ERROR SUMMARY\|RACECHECK SUMMARY' "$out"/{memcheck,racecheck,synccheck}.log | sed 's/.*\///'
}

# What is measured: warm, sweep, audit, memorization, bench, vendor-bench, profile, trace, apart.
# shellcheck source=tools/gpu/measure.sh
. "$home/measure.sh"

# The table and its JSON, from whatever there is.
report() {
    local arguments=() file
    for file in "$out"/{step-*,sweep-*,sampling,nearest-*,memorization}.json; do [ ! -s "$file" ] || arguments+=("jmh=$file"); done
    for file in "$out"/nearest-[0-9s]*.log; do [ ! -s "$file" ] || arguments+=("log=$file"); done
    [ ! -s "$out/nearest-wrong.log" ] || arguments+=("wrong=$out/nearest-wrong.log")
    [ ! -s "$out/audit.jsonl" ] || arguments+=("ours=$out/audit.jsonl")
    [ ! -s "$out/operations.jsonl" ] || arguments+=("operations=$out/operations.jsonl")
    cat "$out"/peer-*.jsonl >"$out/peers.jsonl" 2>/dev/null || true
    local gpu
    gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || echo "the stand-in: no result")
    step report 60 "${java[@]}" -cp "$home/lib/*" dev.rote.bench.BenchReport "${arguments[@]}" "peers=$out/peers.jsonl" \
        "json=$out/gpu.json" "table=$out/gpu.md" "title=GPU results" "device=$gpu" \
        "commit=$(sed -n 1p "$home/VERSION")" "date=$(date -u +%Y-%m-%d)"
    cat "$out/report.log"
}

for part in "${parts[@]}"; do
    case $part in
        doctor | tests | vendor | study | sanitizer | warm | sweep | audit | memorization | bench | vendor-bench | profile | trace | apart | report) ;;
        *)
            echo "check.sh: --part: expected doctor, tests, vendor, study, sanitizer, warm, sweep, audit, memorization, bench," \
                "vendor-bench, profile, trace, apart or report, found $part" >&2
            exit 2
            ;;
    esac
done
if [ $whole = yes ]; then warm; fi
for part in "${parts[@]}"; do
    echo "== $part"
    "$part"
done
echo "== steps"
column -t -s "$(printf '\t')" "$steps" 2>/dev/null || cat "$steps"
tar -C "$out" --exclude=inductor --exclude=study --exclude=audit-images -czf "$out.tar.gz" .
echo "$out.tar.gz: $(stat -c %s "$out.tar.gz") bytes"
! grep -Evq "status 0|left out" "$steps"
