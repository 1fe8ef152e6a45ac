#!/usr/bin/env bash
# build.sh: the kernels as fat binaries, one per .cu file, for sm_80, sm_90a, sm_100 and as PTX for what comes later.
#
#   kernels/build.sh FOLDER     puts *.fatbin and index.txt (kernel, file) into FOLDER
#   kernels/build.sh --check    whether kernels/prebuilt was made from the sources as they are: exit status 0 or 2
#   kernels/build.sh            makes the committed ones anew: kernels/prebuilt and the table kernels/resources.tsv
#
# The first form takes kernels/prebuilt if it was made from the sources as they are, by their hash, and calls nvcc
# otherwise. NVCC names the compiler; ROTE_NVCC=always compiles in any case.
# Exit status: 0 done, 1 a kernel does not compile, 3 there is no nvcc and the prebuilt ones are of other sources.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

targets=(80 90a 100)
flags=(-std=c++17 -O3 -Icommon --compress-mode=size)
source_hash() { # of everything that decides what comes out
    { echo "${targets[*]} ${flags[*]}"; cat $(printf '%s\n' *.cu common/*.cuh | LC_ALL=C sort); } | sha256sum | cut -c1-64
}

target=${1:-}
hash=$(source_hash)
if [[ $target == --check ]]; then
    [[ -f prebuilt/HASH && $(<prebuilt/HASH) == "$hash" ]] || {
        echo "kernels: kernels/prebuilt is not of these sources: run kernels/build.sh where nvcc is and commit it" >&2
        exit 2
    }
    exit 0
fi
if [[ $target && ${ROTE_NVCC:-} != always && -f prebuilt/HASH && $(<prebuilt/HASH) == "$hash" ]]; then
    mkdir -p "$target"
    cp -u prebuilt/*.fatbin prebuilt/index.txt prebuilt/HASH "$target"
    exit 0
fi

nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if ! command -v "$nvcc" >/dev/null; then
    echo "kernels: the prebuilt kernels are not of these sources and there is no nvcc: the CUDA device will not run" >&2
    [[ -z $target ]] || rm -rf "$target"
    exit 3
fi
work=${target:-prebuilt}
mkdir -p "$work"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
codes=(-gencode "arch=compute_80,code=compute_80")
for t in "${targets[@]}"; do codes+=(-gencode "arch=compute_$t,code=sm_$t"); done

compile() { # stem
    "$nvcc" "${flags[@]}" "${codes[@]}" -Xptxas -v -fatbin -o "$build/$1.fatbin" "$1.cu" 2>"$build/$1.log" || {
        grep -v '^ptxas info' "$build/$1.log" >&2
        return 1
    }
}
for source in *.cu; do
    while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
    compile "${source%.cu}" &
done
while (($(jobs -rp | wc -l) > 0)); do wait -n; done

# One line per kernel and target: what ptxas says of it.
for log in "$build"/*.log; do
    awk -v stem="$(basename "$log" .log)" '
        /Compiling entry function/ { split($0, quoted, "\x27"); kernel = quoted[2]; target = quoted[4] }
        /bytes stack frame/ { stack = $1; spills = $5 + $9 }
        /Used [0-9]+ registers/ {
            shared = 0
            for (i = 1; i < NF; i++) if ($(i + 2) ~ /^smem/) shared = $i
            registers = $0
            sub(/.*Used /, "", registers)
            sub(/ registers.*/, "", registers)
            print kernel "\t" stem "\t" target "\t" registers "\t" shared "\t" stack "\t" spills
        }' "$log"
done | LC_ALL=C sort >"$build/resources"
cut -f1,2 "$build/resources" | LC_ALL=C sort -u >"$build/index.txt"
echo "$hash" >"$build/HASH"
rm -f "$work"/*.fatbin
cp "$build"/*.fatbin "$build"/index.txt "$build"/HASH "$work"
if [[ -z $target ]]; then
    { printf 'kernel\tfile\ttarget\tregisters\tshared bytes\tstack bytes\tspilled bytes\n'; cat "$build/resources"; } >resources.tsv
fi
