#!/usr/bin/env bash
# build.sh: compiles the kernels and the stand-in for the CUDA driver with g++ alone.
#
#   native/standin/build.sh FOLDER
#
# Makes FOLDER/librote_standin.so, which JCuda binds to (soname libcuda.so.1), FOLDER/replay, which repeats a record
# under AddressSanitizer, and in FOLDER/vendor the stand-ins for cuBLAS and cuDNN. Objects are kept in FOLDER and made
# again when their source or a header that it includes is newer.
# Exit status 3: not on this system, or there is no g++ (CXX names another compiler).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernels=$here/../../kernels
folder=$1

if [[ $(uname -s) != Linux ]]; then
    echo "stand-in: needs Linux; the CUDA kernels are not tested on this system" >&2
    exit 3
fi
if ! command -v "${CXX:=g++}" >/dev/null; then
    echo "stand-in: $CXX not found; the CUDA kernels are not tested on this machine" >&2
    exit 3
fi

# Contraction would give a*b+c other bits than the explicit fma of kernels/common/random.cuh.
flags=(-std=c++20 -O2 -g1 -march=native -fPIC -fvisibility=hidden -ffp-contract=off -fno-strict-aliasing -pthread
    -Wall -Wextra -Wno-unknown-pragmas -Wno-unused-function -I"$here" -I"$kernels/common")
if [[ $(uname -m) == x86_64 ]]; then
    flags+=(-mtls-dialect=gnu2) # quicker, and initial-exec does not load into a JVM
fi
shopt -s nullglob
sources=("$here"/*.cpp "$here"/*.cu "$kernels"/*.cu)

current() { # object: whether it is newer than this script and everything that its source includes
    [[ -e $1 && -e $1.d && ! $here/build.sh -nt $1 ]] || return 1
    local file
    for file in $(sed -e 's/^[^:]*://' -e 's/\\$//' "$1.d"); do
        [[ -e $file && ! $file -nt $1 ]] || return 1
    done
}

compile() { # source, object, further flags: in the background, at most as many as there are processors
    current "$2" && return
    while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
    { "$CXX" "${flags[@]}" "${@:3}" -MMD -MF "$2.d" -x c++ -c "$1" -o "$2.part" && mv "$2.part" "$2"; } &
}

objects() { # subfolder: the objects of all sources
    for source in "${sources[@]}"; do echo "$folder/$1/$(basename "$source").o"; done
}

mkdir -p "$folder/plain" "$folder/asan"
for source in "${sources[@]}"; do
    name=$(basename "$source")
    [[ $name == replay.cpp ]] || compile "$source" "$folder/plain/$name.o"
    # What is looked for is addresses, and -O1 takes little more than half of the time to compile.
    compile "$source" "$folder/asan/$name.o" -O1 -fsanitize=address -fno-omit-frame-pointer
done
while (($(jobs -rp | wc -l) > 0)); do wait -n; done
for object in $(objects plain | grep -v replay) $(objects asan); do
    [[ -e $object ]] || { echo "stand-in: $object was not made" >&2; exit 1; }
done

newer() { # target, objects
    [[ ! -e $1 ]] || [[ -n $(find "${@:2}" -newer "$1") ]]
}
library=$folder/librote_standin.so
mapfile -t plain < <(objects plain | grep -v '/replay\.cpp\.o$')
if newer "$library" "${plain[@]}"; then
    "$CXX" "${flags[@]}" -shared -Wl,-soname,libcuda.so.1 -o "$library.part" "${plain[@]}"
    mv "$library.part" "$library"
fi
mapfile -t asan < <(objects asan)
if newer "$folder/replay" "${asan[@]}"; then
    "$CXX" "${flags[@]}" -fsanitize=address -o "$folder/replay.part" "${asan[@]}"
    mv "$folder/replay.part" "$folder/replay"
fi

# Each with the soname and the version of its symbols that JCublas (through native/vendor) and JCudnn ask for.
vendor() { # source, soname
    local made=$folder/vendor/$2
    newer "$made" "$library" "$here/vendor/$1" "$here"/vendor/*.h || return 0
    echo "$2 { global: cu*; rote*; local: *; };" >"$folder/vendor/$2.map"
    "$CXX" "${flags[@]}" -shared -Wl,-soname,"$2" -Wl,--version-script="$folder/vendor/$2.map" -o "$made.part" \
        "$here/vendor/$1" "$library"
    mv "$made.part" "$made"
}
mkdir -p "$folder/vendor"
vendor cublas.cpp libcublas.so.13
vendor cudnn.cpp libcudnn.so.9
