#!/bin/sh
# Generates the bindings in src/main/java/dev/rote/bindings anew, with jextract for JDK 25.
#
#   native/generate-bindings.sh [dnnl|cuda|nccl]...     without a name: all three
#
#   JEXTRACT      the program (otherwise the one on the PATH); see https://jdk.java.net/jextract
#   DNNL_INCLUDE  folder with oneapi/dnnl/dnnl.h of oneDNN 3.11; the jar org.bytedeco:dnnl:3.11-1.5.13 holds it
#   CUDA_INCLUDE  folder with cuda.h of CUDA 13.0 (otherwise /usr/local/cuda/include)
#   NCCL_INCLUDE  folder with nccl.h of NCCL 2.30 (otherwise /usr/include)
#
# Exit status: 0 done, 2 an unknown name, 3 something is missing.
set -eu

fail() {
    printf 'generate-bindings: %s\n' "$2" >&2
    exit "$1"
}

cd "$(dirname "$0")"
jextract=${JEXTRACT:-jextract}
command -v "$jextract" >/dev/null 2>&1 ||
    fail 3 "needs jextract and found none: install it from https://jdk.java.net/jextract or set JEXTRACT to the program"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Package $1, class $2 and header $4 in the include folder $3, which variable $5 sets.
generate() {
    [ -f "$3/$4" ] || fail 3 "needs the header $4 and found none in $3: set $5 to its folder"
    folder=src/main/java/dev/rote/bindings/$1
    rm -rf "$work/java"
    if [ "$1" = nccl ]; then
        set -- "$1" "$2" "$3" "$4" -I "${CUDA_INCLUDE:-/usr/local/cuda/include}" # nccl.h includes a header of CUDA's
    else
        set -- "$1" "$2" "$3" "$4"
    fi
    package=$1 class=$2 include=$3 header=$4
    shift 4
    "$jextract" -t "dev.rote.bindings.$package" --header-class-name "$class" --output "$work/java" \
        "@includes/$package.txt" -I "$include" "$@" "$include/$header"
    find "$folder" -name '*.java' ! -name package-info.java -exec rm {} +
    cp "$work/java/dev/rote/bindings/$package"/*.java "$folder"
    echo "generated $folder"
}

[ $# -gt 0 ] || set -- dnnl cuda nccl
for name in "$@"; do
    case $name in
        dnnl) generate dnnl Dnnl "${DNNL_INCLUDE:-/usr/include}" oneapi/dnnl/dnnl.h DNNL_INCLUDE ;;
        cuda) generate cuda CudaDriver "${CUDA_INCLUDE:-/usr/local/cuda/include}" cuda.h CUDA_INCLUDE ;;
        nccl) generate nccl Nccl "${NCCL_INCLUDE:-/usr/include}" nccl.h NCCL_INCLUDE ;;
        *) fail 2 "expected dnnl, cuda or nccl, found $name" ;;
    esac
done
