#!/usr/bin/env bash
# build.sh: compiles the library that lets JCublas 12.6 run on cuBLAS 13 (see forward.c).
#
#   native/vendor/build.sh FOLDER     makes FOLDER/libcublas.so.12; CC names another compiler than gcc
#   native/vendor/build.sh --symbols LIBRARY     prints what libJCublas2 of a newer JCublas imports, for cublas-symbols.txt
#
# Exit status 3: not on this system, or there is no compiler; `--kernels vendor` then needs a machine with cuBLAS 12.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [[ ${1-} == --symbols ]]; then
    nm -D --undefined-only "$2" | sed -n 's/.* U \(cublas[A-Za-z0-9_]*\)@.*/\1/p' | sort -u
    exit
fi
folder=$1
if [[ $(uname -sm) != "Linux x86_64" ]]; then
    echo "vendor: JCublas has a library for Linux on x86-64 alone; cuBLAS 13 is not forwarded" >&2
    exit 3
fi
if ! command -v "${CC:=gcc}" >/dev/null; then
    echo "vendor: $CC not found; cuBLAS 13 is not forwarded" >&2
    exit 3
fi
library=$folder/libcublas.so.12
newest=$(ls -t "$here"/{forward.c,build.sh,cublas-symbols.txt} | head -n 1)
if [[ -e $library && ! $newest -nt $library ]]; then
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"
sed 's/.*/FORWARD(&)/' "$here/cublas-symbols.txt" >"$work/symbols.inc"
{
    echo "libcublas.so.12 { global:"
    sed 's/$/;/' "$here/cublas-symbols.txt"
    echo "local: *; };"
} >"$work/forward.map"
"$CC" -std=gnu11 -O2 -fPIC -shared -Wall -Wextra -I"$work" -Wl,-soname,libcublas.so.12 \
    -Wl,--version-script="$work/forward.map" -o "$library.part" "$here/forward.c" -ldl
strip --strip-unneeded "$library.part"
mv "$library.part" "$library"
