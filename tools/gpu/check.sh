#!/bin/bash
# Checks and measures Rote on a GPU, from the bundle that tools/gpu/bundle.sh packs; needs the NVIDIA driver, and for
# some parts compute-sanitizer and Python with PyTorch. Every step is bounded in time and reported, whatever the others do.
#
#   check.sh                       all parts, in order; what the peers must compile is compiled meanwhile
#   check.sh --part tests          one part; may be repeated. doctor: what is there. tests: kernels, golden values, bits,
#                                  200 updates. study: a study killed and resumed, then the quick start. sanitizer:
#                                  compute-sanitizer on a share of the cases. warm: what the peers must compile. bench:
#                                  ours and the peers. report: the table and its JSON
#                                  vendor, vendor-bench: of these, what is by cuBLAS and cuDNN inside Rote, alone
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
whole=no
[ ${#parts[@]} -gt 0 ] || { whole=yes; parts=(doctor tests study sanitizer bench report); }
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
    begin=$(date +%s%N)
    # In this script's process group, so that who stops the script stops its steps as well.
    timeout --foreground -k 5 "$limit" "$@" >"$out/$name.log" 2>&1
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

# Kernels against their definitions, golden values, draws' bits, 200 updates beside the CPU's, twice the same bits.
tests() {
    local every=() running=()
    if [ -n "$standin" ]; then every=(-Drote.test.every=20); fi
    step operations 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaOperationsTest &
    running+=($!)
    step tensor-cores 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaTensorCoreTest &
    running+=($!)
    step reductions 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaReductionTest \
        --select-class $tests.CudaAttentionTest --select-class $tests.CudaNormSumTest &
    running+=($!)
    step training 150 "${java[@]}" "${junit[@]}" --select-class $tests.CudaTrainingTest --select-class $tests.CudaBindingsTest \
        --select-class $tests.CudaSideBySideTest --select-class $tests.CudaMlpTest &
    running+=($!)
    step convolutions 150 "${java[@]}" "${every[@]}" "${junit[@]}" --select-class $tests.CudaHaloTest \
        --select-class $tests.CudaWeightGradientTest --select-class $tests.CudaOptimizerTest \
        --select-class $tests.CudaFusionTest --select-class $tests.CudaConvolutionSumTest &
    running+=($!)
    step nearest 150 "${java[@]}" "${junit[@]}" --select-class $tests.CudaNearestTest --select-class $tests.CudaNearestInputTest \
        --select-class $tests.CudaNearestRealImagesTest &
    running+=($!)
    vendor &
    running+=($!)
    wait "${running[@]}"
    for name in operations tensor-cores reductions training convolutions nearest vendor; do
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
        printf 'sanitizer\tleft out: no compute-sanitizer\t0 ms\n' >>"$steps"
        return
    fi
    local tool running=()
    for tool in memcheck racecheck synccheck; do
        local every=${ROTE_SANITIZER_EVERY:-40}
        step "$tool" 150 compute-sanitizer --tool $tool --target-processes all --error-exitcode 9 --print-limit 20 \
            "${java[@]}" -Drote.test.every="$every" "${junit[@]}" \
            --select-method "$tests.CudaOperationsTest#agreesWithTheDefinition(dev.rote.reference.OpCase)" \
            --select-method "$tests.CudaOperationsTest#agreesWithTheDefinitionInBf16(dev.rote.reference.OpCase)" \
            --select-class $tests.CudaTensorCoreTest --select-class $tests.CudaReductionTest \
            --select-class $tests.CudaHaloTest --select-class $tests.CudaWeightGradientTest \
            --select-class $tests.CudaAttentionTest --select-class $tests.CudaNormSumTest &
        running+=($!)
    done
    wait "${running[@]}"
    grep -H 'ERROR SUMMARY\|RACECHECK SUMMARY' "$out"/{memcheck,racecheck,synccheck}.log | sed 's/.*\///'
}

# Whether the peers can run: Python 3 with PyTorch and a GPU.
peers=no
if [ -z "$standin" ] && python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    peers=yes
    export TORCHINDUCTOR_CACHE_DIR=$out/inductor TORCHINDUCTOR_FX_GRAPH_CACHE=1 PYTHONUNBUFFERED=1
fi
warming=()
# Compiles what the peers need while our tests run; nothing is timed then.
warm() {
    [ $peers = yes ] || return 0
    local width
    for width in $peer_widths; do
        step "warm-$width" 280 python3 "$home/peers/study1_unet.py" warm --device cuda --width "$width" --precision bf16 \
            --batch $batch --compile-mode default &
        warming+=($!)
    done
    if [ $whole = no ]; then wait "${warming[@]}"; fi
}

# Ours, then the peers on the same shapes; the most important first.
if [ -n "$standin" ]; then
    sweep="-p width=8 -p runs=2 -p batch=2 -wi 0 -i 1"
    widths=8 peer_widths= batch=2 precisions=bf16 samples="-wi 1 -i 1" limit=20 small="steps=0 only=group_norm.*|linear"
else
    widths=${ROTE_WIDTHS:-32,64,128} peer_widths=${ROTE_PEER_WIDTHS:-32 64 128} batch=512 precisions=bf16
    sweep="-p width=8,16 -p runs=1,4,16 -p batch=128 -wi 2 -i 10"
    samples="-wi 2 -i 10" limit=40 small=bandwidth=4.3 # TB/s of a copy, as measured on an H200
    if nvidia-smi -L 2>/dev/null | grep -q H100; then small=bandwidth=3.0; fi
fi
narrow=${widths%%,*}
jmh=(-cp "$home/lib/*" org.openjdk.jmh.Main -f 0 -foe true -rf json)
peer() { # name, limit, script and options; its lines are the peers' results
    local name=$1 seconds=$2
    shift 2
    step "$name" "$seconds" sh -c 'lines=$1; shift; python3 "$@" >"$lines"' sh "$out/$name.jsonl" "$@"
}
bench() {
    [ ${#warming[@]} -eq 0 ] || wait "${warming[@]}"
    local width
    for width in ${widths//,/ }; do # one by one, as JMH keeps no results when one fails
        # shellcheck disable=SC2086
        step "step-$width" 60 "${java[@]}" "${jmh[@]}" CudaStepBench -rff "$out/step-$width.json" -p width="$width" \
            -p precision=$precisions -p batch=$batch -p optimizer=sgd $samples
    done
    # shellcheck disable=SC2086
    step operations-time 75 "${java[@]}" -cp "$home/lib/*" dev.rote.bench.OperationTimes width="$narrow" batch=$batch \
        precision=bf16 optimizer=sgd cases="$out/cases.jsonl" results="$out/operations.jsonl" limit=$limit $small
    vendor-bench
    # Small runs that share the GPU, as a sweep's do, and one alone.
    # shellcheck disable=SC2086
    step sweep 60 "${java[@]}" "${jmh[@]}" CudaSweepBench -rff "$out/sweep.json" -p precision=$precisions $sweep
    if [ -z "$standin" ]; then # a hundred evaluations of the network take minutes there
        step sampling 60 "${java[@]}" "${jmh[@]}" CudaSamplingBench -rff "$out/sampling.json" -p precision=bf16 \
            -p width="$narrow" -p batch=1000 -wi 1 -i 3
        for shape in 10000x32768x1024 50000x50000x3072; do
            step "nearest-$shape" 60 "${java[@]}" "${jmh[@]}" NearestNeighbourBench -rff "$out/nearest-$shape.json" \
                -p device=cuda -p shape=$shape -p type=f32,u8 -wi 3 -i 20
        done
        step nearest-small 60 "${java[@]}" "${jmh[@]}" NearestNeighbourBench -rff "$out/nearest-small.json" \
            -p device=cuda -p shape=10000x1024x1024,10000x4096x1024,10000x16384x1024 -p type=f32 -wi 3 -i 20
        step step-tf32 60 "${java[@]}" "${jmh[@]}" CudaStepBench -rff "$out/step-tf32.json" -p width="$narrow" \
            -p precision=tf32,f32 -p batch=$batch -p optimizer=sgd -wi 1 -i 5
    fi
    if [ $peers = yes ]; then
        for width in $peer_widths; do
            peer "peer-step-$width" 70 "$home/peers/study1_unet.py" time --device cuda --width "$width" --precision bf16 \
                --batch $batch --seconds 1 --compile-mode default --limit "${ROTE_PEER_SECONDS:-40}"
        done
        for shape in 10000x32768x1024 50000x50000x3072 10000x1024x1024 10000x4096x1024 10000x16384x1024; do
            peer "peer-nearest-$shape" 30 "$home/peers/nearest.py" --shape $shape --device cuda --precision f32,tf32 --seconds 1 --limit 15
        done
        step nearest-wrong 40 python3 "$home/peers/nearest.py" --wrong --shape 1000x32768x1024 --device cuda --precision f32,tf32
        peer peer-operations 80 "$home/peers/operations.py" time --shapes "$out/cases.jsonl" --seconds 0.05 --limit 60
        peer ceilings 30 "$home/peers/operations.py" ceilings
        step peer-check 60 python3 "$home/peers/study1_unet.py" check --golden "$home/tests/golden" --device cuda
    fi
}

# The products and convolutions of the step by cuBLAS and cuDNN inside Rote, on the same shapes; results as a peer's.
vendor-bench() {
    if "${rote[@]}" doctor 2>/dev/null | grep -q '^vendor.*not found'; then
        printf 'vendor-bench\tleft out: no cuBLAS or no cuDNN\t0 ms\n' >>"$steps"
        return
    fi
    # shellcheck disable=SC2086
    step vendor-bench 75 "${java[@]}" -cp "$home/lib/*" dev.rote.bench.OperationTimes kernels=vendor width="$narrow" \
        batch=$batch precision=bf16 optimizer=sgd results="$out/peer-vendor.jsonl" limit=$limit $small
}

# The table and its JSON, from whatever there is.
report() {
    local arguments=() file
    for file in "$out"/{step-*,sweep,sampling,nearest-*}.json; do [ ! -s "$file" ] || arguments+=("jmh=$file"); done
    for file in "$out"/nearest-[0-9s]*.log; do [ ! -s "$file" ] || arguments+=("log=$file"); done
    [ ! -s "$out/nearest-wrong.log" ] || arguments+=("wrong=$out/nearest-wrong.log")
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
        doctor | tests | vendor | study | sanitizer | warm | bench | vendor-bench | report) ;;
        *)
            echo "check.sh: --part: expected doctor, tests, vendor, study, sanitizer, warm, bench, vendor-bench or report, found $part" >&2
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
tar -C "$out" --exclude=inductor --exclude=study -czf "$out.tar.gz" .
echo "$out.tar.gz: $(stat -c %s "$out.tar.gz") bytes"
! grep -Evq "status 0|left out" "$steps"
