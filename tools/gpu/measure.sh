#!/bin/bash
# What check.sh measures; read by it. Every step is bounded; the most important of a part first.

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
    local width each
    # Each with a share of the cores; the small networks are as many kernels as the large ones.
    for width in $peer_widths; do warm_one "$width" $batch; done
    for width in $small_widths; do
        for each in $small_batches; do warm_one "$width" "$each"; done
    done
    if [ $whole = no ]; then finish_warming; fi
}
warm_one() { # width, batch
    TORCHINDUCTOR_COMPILE_THREADS=4 step "warm-$1-$2" 280 python3 "$home/peers/study1_unet.py" warm --device cuda \
        --width "$1" --precision bf16 --batch "$2" --compile-mode default &
    warming+=($!)
}
finish_warming() {
    [ ${#warming[@]} -eq 0 ] || wait "${warming[@]}"
    warming=()
}

if [ -n "$standin" ]; then
    widths=8 peer_widths= batch=2 precisions=bf16 samples="-wi 1 -i 1" limit=20 small="steps=0 only=group_norm.*|linear"
    small_widths=8 small_batches=2 sweep="-wi 0 -i 1"
    audited="--training 300 --samples 200 --heldout 100 --planted 10" searched=200x300x1024
else
    widths=${ROTE_WIDTHS:-32,64,128} peer_widths=${ROTE_PEER_WIDTHS-32 64 128} batch=512 precisions=bf16
    small_widths=${ROTE_SMALL_WIDTHS:-8 16} small_batches=${ROTE_SMALL_BATCHES:-128 64} sweep="-wi 2 -i 10"
    samples="-wi 2 -i 10" limit=40 small=bandwidth=4.3 # TB/s of a copy, as measured on an H200
    if nvidia-smi -L 2>/dev/null | grep -q H100; then small=bandwidth=3.0; fi
    audited="--training 50000 --samples 50000 --heldout 10000" searched=10000x32768x1024,10000x1024x1024
fi
narrow=${widths%%,*}
jmh=(-cp "$home/lib/*" org.openjdk.jmh.Main -f 0 -foe true -rf json)
peer() { # name, limit, script and options; its lines are the peers' results
    local name=$1 seconds=$2
    shift 2
    step "$name" "$seconds" sh -c 'lines=$1; shift; python3 "$@" >"$lines"' sh "$out/$name.jsonl" "$@"
}

# Small runs that share the GPU, as a sweep's do, and one alone; then the peer's, one at a time.
sweep() {
    finish_warming
    local width each runs=1,4,16 seconds=60
    if [ -n "$standin" ]; then runs=2 seconds=300; fi
    for each in $small_batches; do
        for width in $small_widths; do # one by one, as JMH keeps no results when one fails
            # shellcheck disable=SC2086
            step "sweep-$width-$each" $seconds "${java[@]}" "${jmh[@]}" CudaSweepBench -rff "$out/sweep-$width-$each.json" \
                -p precision=$precisions -p width="$width" -p batch="$each" -p runs=$runs $sweep
        done
        if [ $peers = yes ]; then
            for width in $small_widths; do
                peer "peer-step-$width-$each" 60 "$home/peers/study1_unet.py" time --device cuda --width "$width" \
                    --precision bf16 --batch "$each" --seconds 0.5 --compile-mode default --limit "${ROTE_PEER_SECONDS:-30}"
            done
        fi
    done
}

# `rote audit` of images with planted copies, on the GPU; then whether each was found.
audit() {
    local images=$out/audit-images begin
    # shellcheck disable=SC2086
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 step audit-make 60 python3 "$home/audit_images.py" make "$images" $audited || return
    begin=$(date +%s%N)
    step audit 90 "${rote[@]}" audit --samples "$images/samples.npy" --training "$images/training.npy" \
        --heldout "$images/heldout.npy" --device cuda --out "$out/audit" || return
    python3 "$home/audit_images.py" times "$images" "$out/audit.log" \
        "$(awk "BEGIN { print ($(date +%s%N) - $begin) / 1e9 }")" >"$out/audit.jsonl"
    step audit-check 30 python3 "$home/audit_images.py" check "$images" "$out/audit/neighbours.csv"
    cat "$out/audit-check.log"
    grep '(after ' "$out/audit.log"
    rm -rf "$images"
}

# The memorized fraction as a run measures it, between two stretches of training.
memorization() {
    # shellcheck disable=SC2086
    step memorization 40 "${java[@]}" "${jmh[@]}" CudaMemorizationBench -rff "$out/memorization.json" \
        -p shape=$searched $samples
}

# Ours, then the peers on the same shapes; the most important first.
bench() {
    finish_warming
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
    if [ -z "$standin" ]; then # a hundred evaluations of the network take minutes there
        step sampling 60 "${java[@]}" "${jmh[@]}" CudaSamplingBench -rff "$out/sampling.json" -p precision=bf16 \
            -p width="$narrow" -p batch=1000,5000 -wi 1 -i 3
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
        left_out vendor-bench "no cuBLAS or no cuDNN"
        return
    fi
    # shellcheck disable=SC2086
    step vendor-bench 75 "${java[@]}" -cp "$home/lib/*" dev.rote.bench.OperationTimes kernels=vendor width="$narrow" \
        batch=$batch precision=bf16 optimizer=sgd results="$out/peer-vendor.jsonl" limit=$limit $small
}

# Registers, occupancy, throughputs, tensor pipes and reasons of stalls of the kernels whose names match
# ROTE_PROFILE_KERNELS, in the operations of a step whose names match ROTE_PROFILE_OPERATIONS; and where in their
# instructions warps wait.
profile() {
    if [ -n "$standin" ] || ! command -v ncu >/dev/null; then
        left_out profile "no ncu"
        return
    fi
    local report=$out/profile.ncu-rep raw=$out/profile-raw.csv section sections=()
    for section in LaunchStats Occupancy SpeedOfLight ComputeWorkloadAnalysis MemoryWorkloadAnalysis WarpStateStats \
        SourceCounters; do
        sections+=(--section $section)
    done
    # shellcheck disable=SC2086
    step profile 60 ncu --clock-control none --graph-profiling node --target-processes all --kill yes \
        --kernel-name-base function --kernel-name "regex:${ROTE_PROFILE_KERNELS:-conv2d|attention|group_norm}" \
        --launch-count "${ROTE_PROFILE_LAUNCHES:-12}" "${sections[@]}" --force-overwrite --export "$report" \
        "${java[@]}" -cp "$home/lib/*" dev.rote.bench.OperationTimes width="$narrow" batch=$batch precision=bf16 \
        optimizer=sgd only="${ROTE_PROFILE_OPERATIONS:-conv2d.*|attention.*|group_norm.*}" steps=0 seconds=0.0001 \
        check=false limit=50
    step profile-raw 30 sh -c 'ncu --import "$1" --csv --page raw >"$2"' sh "$report" "$raw"
    step profile-source 30 sh -c 'ncu --import "$1" --csv --page source | gzip >"$2"' sh "$report" "$out/profile-source.csv.gz"
    step profile-table 20 python3 "$home/profile_table.py" "$raw" "$out/profile.csv"
    cat "$out/profile-table.log"
}

# A step of the narrowest width with all that launches join, and without each of these: what it gives.
apart() {
    local each
    for each in "" ATTENTION_BLOCK LINEAR_GRADIENTS DRAWN_STEM LOSS_HEAD SKIP_CONVOLUTION; do
        # shellcheck disable=SC2086
        JAVA_TOOL_OPTIONS="-Drote.cuda.apart=$each" step "apart-${each:-none}" 40 "${java[@]}" "${jmh[@]}" CudaStepBench \
            -rff "$out/apart-${each:-none}.json" -p width="$narrow" -p precision=$precisions -p batch=$batch -p optimizer=sgd $samples
        grep -H 'ss/op\|ms/op' "$out/apart-${each:-none}.log" | tail -1 | sed 's/.*\///'
    done
}

# Every launch of a step of the narrowest width, and of 16 runs of the widest of the small ones as one program, with its
# time; how a kernel that is quick alone fares among the others.
trace() {
    if [ -n "$standin" ] || ! command -v ncu >/dev/null; then
        left_out trace "no ncu"
        return
    fi
    local each small_width=${small_widths##* }
    local ncu=(ncu --clock-control none --cache-control none --graph-profiling node --target-processes all --kill yes
        --launch-count 850 --metrics gpu__time_duration.sum --csv --page raw)
    step trace-step 60 "${ncu[@]}" --log-file "$out/trace-step-raw.csv" "${java[@]}" -cp "$home/lib/*" dev.rote.bench.OperationTimes \
        width="$narrow" batch=$batch precision=bf16 optimizer=sgd only=none steps=1 limit=1
    step trace-sweep 60 "${ncu[@]}" --log-file "$out/trace-sweep-raw.csv" "${java[@]}" "${jmh[@]}" CudaSweepBench \
        -rff "$out/trace-sweep.json" -p width="$small_width" -p batch=128 -p precision=bf16 -p runs=16 -p sharing=replicas -wi 0 -i 1
    for each in step sweep; do
        step "trace-$each-table" 20 python3 "$home/trace_table.py" "$out/trace-$each-raw.csv" "$out/trace-$each.csv"
        cat "$out/trace-$each-table.log"
        gzip -f "$out/trace-$each-raw.csv"
    done
}
