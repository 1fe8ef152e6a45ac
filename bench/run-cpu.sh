#!/bin/bash
# Times ours and the peers on the same cores, ours before and after the peers; writes results/cpu-DATE.json, the table
# in results/cpu.md and the README's.
#
#   bench/run-cpu.sh            everything, 14 minutes on two quiet cores
#   bench/run-cpu.sh --quick    a rehearsal: W = 8, batch 4, few samples; results go to bench/target/quick
#   bench/run-cpu.sh --nearest  the search alone, in 5 minutes; its table is results/cpu-nearest.md
#   --compile                   lets the peer try torch.compile too (minutes per network)
#   --threads N                 cores to use, default all
#
# Peers that are not installed are left out and named; bench/peers/install.sh installs them.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
only=
compile=
rehearsal=
threads=$(nproc)
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=yes ;;
        --nearest) only=-nearest ;;
        --compile) compile=--compile ;;
        --threads) threads=$2; shift ;;
        *) echo "run-cpu.sh: expected --quick, --nearest, --compile or --threads N, found $1" >&2; exit 2 ;;
    esac
    shift
done

date=$(date -u +%Y-%m-%d)
if [ $quick = yes ]; then
    export OMP_WAIT_POLICY=passive # a rehearsal is for busy machines, where OpenMP's spinning takes ten times as long
    rehearsal="a rehearsal, cold and small: no result"
    results=bench/target/quick widths="8" shapes="256x1024x1024" seconds=1 batch=4
else
    results=bench/results widths="8 16 32" shapes="256x1024x1024 1000x10000x1024" seconds=8 batch=64
fi
if [ -n "$only" ]; then widths=; fi
work=bench/target/cpu
golden=engine/src/test/resources/golden
pip_python=bench/peers/venv/bin/python
old_python=/usr/bin/python3
mkdir -p "$results" "$work"
rm -f "$work"/*.json "$work"/*.jsonl
touch "$work/peers.jsonl"

# 1. Build.
load=$(cut -d ' ' -f 1 /proc/loadavg)
if [ "${load%.*}" -ge 1 ]; then
    echo "run-cpu.sh: the machine is busy (load average $load): the times will be no results, the peers' least of all" >&2
fi
mvn -q -B -o -pl native,engine,bench -am -DskipTests package || mvn -q -B -pl native,engine,bench -am -DskipTests package

# 2. Ours.
java=
for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
    if [ -x "$candidate/bin/java" ] && "$candidate/bin/java" -version 2>&1 | grep -Eq 'version "(2[5-9]|[3-9][0-9])'; then
        java=$candidate/bin/java
        break
    fi
done
if [ -z "$java" ]; then
    echo "run-cpu.sh: expected JDK 25 or newer in JAVA_HOME or /usr/lib/jvm, found none" >&2
    exit 3
fi
class_path=bench/target/classes:$(cat bench/target/classpath.txt)
jmh() { # name, benchmark, further options
    local name=$1 benchmark=$2
    shift 2
    echo "ours: $name" >&2
    if ! "$java" -cp "$class_path" org.openjdk.jmh.Main "$benchmark" -p threads="$threads" -f 1 -foe true \
            -rf json -rff "$work/$name.json" "$@" > "$work/$name.log" 2>&1; then
        tail -n 40 "$work/$name.log" >&2
        exit 1
    fi
}
pool() { # two runs of the same benchmarks: the samples of both in the first one's file
    python3 - "$1" "$2" << 'END'
import json
import sys

results, later = (json.load(open(path)) for path in sys.argv[1:])
for result, again in zip(results, later, strict=True):
    if (result["benchmark"], result["params"]) != (again["benchmark"], again["params"]):
        sys.exit("run-cpu.sh: expected the same benchmarks in %s and %s" % tuple(sys.argv[1:]))
    result["primaryMetric"]["rawData"] += again["primaryMetric"]["rawData"]
json.dump(results, open(sys.argv[1], "w"))
END
}

# 3. The peers, each checked against the golden vectors first.
export OMP_NUM_THREADS=$threads
peer_versions=
peer() { # seconds allowed, python, script and options
    local limit=$1
    shift
    echo "peer: $*" >&2
    if ! timeout "$limit" "$@" >> "$work/peers.jsonl" 2> "$work/peer.log"; then
        echo "run-cpu.sh: left out, failed or took more than $limit s: $*" >&2
        tail -n 5 "$work/peer.log" >&2
    fi
}
pythons=()
for python in $pip_python $old_python; do
    if ! version=$("$python" -c 'import torch; print(torch.__version__)' 2> /dev/null); then
        echo "run-cpu.sh: left out, no PyTorch: $python" >&2
        continue
    fi
    if [ -z "$only" ] && ! "$python" bench/peers/study1_unet.py check --golden $golden --threads "$threads" > "$work/check-$version.log" 2>&1; then
        tail -n 5 "$work/check-$version.log" >&2
        exit 1
    fi
    peer_versions="$peer_versions${peer_versions:+, }PyTorch $version"
    pythons+=("$python")
done
if "$old_python" -c 'import faiss' 2> /dev/null; then
    faiss=yes
    peer_versions="$peer_versions${peer_versions:+, }FAISS $("$old_python" -c 'import faiss; print(faiss.__version__)')"
else
    faiss=no
    echo "run-cpu.sh: left out, no FAISS: $old_python" >&2
fi

# 4. One case after the other: ours, the peers, ours again. What else a machine's owner lets run on it changes by
# the minute, by a quarter of the time.
reports=()
for width in $widths; do
    # The loops that run once a step are compiled after some dozens of steps. At W = 32 a step takes most of a second.
    samples="-wi 40 -i 15"
    if [ "$width" = 32 ]; then samples="-wi 40 -i 8"; fi
    if [ $quick = yes ]; then samples="-wi 2 -i 2"; fi
    # shellcheck disable=SC2086
    jmh "step-$width" TrainingStepBench -p width="$width" -p batch="$batch" $samples
    for python in "${pythons[@]}"; do
        limit=120 compiled=$compile
        if [ -n "$compile" ]; then limit=1200; fi
        # Debian's 1.13 has neither fused attention nor a fast sgemm: W = 8 shows it, more would take the whole time.
        if [ "$python" = $old_python ]; then
            if [ "$width" != 8 ]; then continue; fi
            limit=45 compiled=
        fi
        for precision in f32 bf16; do
            # shellcheck disable=SC2086
            peer $limit "$python" bench/peers/study1_unet.py time --width "$width" --precision $precision --batch "$batch" \
                --threads "$threads" --seconds $seconds $compiled
        done
    done
    # shellcheck disable=SC2086
    jmh "step-$width-again" TrainingStepBench -p width="$width" -p batch="$batch" $samples
    pool "$work/step-$width.json" "$work/step-$width-again.json"
    reports+=("jmh=$work/step-$width.json")
done
for shape in $shapes; do
    # The loops of a search are compiled after some hundreds of small ones; a large one has as many tiles as 39 of them.
    samples="-wi 50 -i 15"
    if [ "$shape" = 256x1024x1024 ]; then samples="-wi 800 -i 30"; fi
    if [ $quick = yes ]; then samples="-wi 2 -i 2"; fi
    # shellcheck disable=SC2086
    jmh "nearest-$shape" NearestNeighbourBench -p shape="$shape" $samples
    for python in "${pythons[@]}"; do
        if [ "$python" = $old_python ] && [ "$shape" != 256x1024x1024 ]; then continue; fi
        peer 60 "$python" bench/peers/nearest.py --shape "$shape" --threads "$threads" --seconds $((seconds / 2 + 1)) --limit 5
    done
    if [ $faiss = yes ]; then
        peer 60 "$old_python" bench/peers/nearest_faiss.py --shape "$shape" --threads "$threads" --seconds $((seconds / 2 + 1))
    fi
    # shellcheck disable=SC2086
    jmh "nearest-$shape-again" NearestNeighbourBench -p shape="$shape" $samples
    pool "$work/nearest-$shape.json" "$work/nearest-$shape-again.json"
    reports+=("jmh=$work/nearest-$shape.json")
done

# FAISS's and PyTorch's wrong answers.
if [ $faiss = yes ]; then
    timeout 60 "$old_python" bench/peers/nearest_faiss.py --wrong --shape 256x1024x1024 --threads "$threads" \
        > "$work/wrong.jsonl" 2> "$work/peer.log" || echo "run-cpu.sh: left out: FAISS's wrong answers" >&2
fi
if [ ${#pythons[@]} -gt 0 ]; then
    timeout 60 "${pythons[0]}" bench/peers/nearest.py --wrong --shape 256x1024x1024 --threads "$threads" \
        >> "$work/wrong.jsonl" 2> "$work/peer.log" || echo "run-cpu.sh: left out: PyTorch's wrong answers" >&2
fi
if [ -s "$work/wrong.jsonl" ]; then reports+=("wrong=$work/wrong.jsonl"); fi

# 5. Report.
commit=$(git rev-parse --short=12 HEAD)
if [ -n "$(git status --porcelain -- engine native bench pom.xml)" ]; then commit="$commit, with changes"; fi
"$java" --enable-native-access=ALL-UNNAMED --add-modules=jdk.incubator.vector \
    -cp "$class_path" dev.rote.bench.BenchReport "${reports[@]}" "peers=$work/peers.jsonl" \
    "json=$results/cpu$only-$date.json" "table=$results/cpu$only.md" \
    "device=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "threads=$threads" \
    "load average before the run=$load" \
    "Java=$("$java" -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p')" \
    "oneDNN=$(sed -n 's/.*<dnnl.version>\(.*\)<\/dnnl.version>.*/\1/p' pom.xml)" \
    "peers installed=${peer_versions:-none}" "commit=$commit" "date=$date" "seconds=$SECONDS" ${rehearsal:+"this is=$rehearsal"}
echo "written: $results/cpu$only-$date.json, $results/cpu$only.md" >&2
if [ $quick = no ] && [ -z "$only" ]; then bench/results-to-readme.sh; fi
