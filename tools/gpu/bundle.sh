#!/bin/bash
# Packs what a GPU host without Java, Maven and network needs to check and measure Rote, at most 40 MiB: a Java
# runtime, the program, the kernels, the tests on a GPU with what the CPU device made of the same runs, the
# benchmarks and the peers' scripts. There:
#
#   tar xJf rote-gpu.tar.xz && rote-gpu/check.sh        (see its head)
#
#   tools/gpu/bundle.sh [FILE]     FILE: default target/gpu/rote-gpu.tar.xz; --fast compresses less, for rehearsals
#
# Left out on purpose: oneDNN and ONNX Runtime (the CPU device and networks for features do not run there), and kernels
# for other GPUs than H100 and H200. ROTE_BUNDLE_TARGET=sm_80 packs those for another, ROTE_BUNDLE_TARGET= all.
set -euo pipefail
cd "$(dirname "$0")/../.."

level=-9e
if [ "${1-}" = --fast ]; then level=-1; shift; fi
file=$(realpath -m "${1:-target/gpu/rote-gpu.tar.xz}")
limit=$((40 * 1024 * 1024))
target=${ROTE_BUNDLE_TARGET-sm_90a}
jdk=$(ROTE_PRINT=jdk ./rote)
work=target/gpu
bundle=$work/rote-gpu
rm -rf "$bundle"
mkdir -p "$bundle/lib" "$bundle/tests" "$bundle/peers" "$(dirname "$file")"

# 1. The program, its tests and benchmarks; test libraries.
JAVA_HOME=$jdk JAVA25_HOME=$jdk mvn -q -B -DskipTests -Dspotless.check.skip=true package
junit=$(sed -n 's/.*<junit.version>\(.*\)<\/junit.version>.*/\1/p' pom.xml)
assertj=$(sed -n 's/.*<assertj.version>\(.*\)<\/assertj.version>.*/\1/p' pom.xml)
for artifact in "org.junit.platform:junit-platform-console-standalone:$junit" "org.assertj:assertj-core:$assertj"; do
    mvn -q -B -N dependency:copy -Dartifact="$artifact" -DoutputDirectory="$work/test-lib" -Dmdep.useBaseVersion=true
done

# 2. Jars without compression, which xz does better, and without the natives of other uses.
pack() { # jar, entries to leave out
    local name=$1 unpacked=$work/unpacked
    shift
    rm -rf "$unpacked"
    mkdir -p "$unpacked"
    # shellcheck disable=SC2068 # patterns to expand
    (cd "$unpacked" && "$jdk/bin/jar" xf "$name" && rm -rf $@)
    if [[ $name == */rote-kernels-*.jar && $target ]]; then python3 tools/gpu/fat_binaries.py "$unpacked" "$target"; fi
    "$jdk/bin/jar" --create --no-compress --no-manifest --file "$bundle/lib/$(basename "$name")" -C "$unpacked" .
}
class_path() { # jars of the program, the benchmarks and the tests, one per line
    ls tools/target/rote.jar bench/target/rote-bench-*.jar "$work"/test-lib/*.jar
    tr ':' '\n' <bench/target/classpath.txt
    ls tools/target/lib/*.jar
}
class_path | awk -F/ '!seen[$NF]++' | while IFS= read -r jar; do
    case $jar in
        *dnnl* | *openblas* | *onnxruntime*) ;;
        *jcublas-natives*) pack "$(realpath "$jar")" 'lib/libJCublas-*' ;;
        *jcuda-natives*) pack "$(realpath "$jar")" lib/libJNvPTXCompiler* lib/libJNvrtc* lib/libJCudaRuntime* ;;
        *) pack "$(realpath "$jar")" ;;
    esac
done
cp -r engine/target/test-classes/. "$bundle/tests/"
cp bench/peers/*.py "$bundle/peers/"
cp tools/gpu/{check.sh,measure.sh,audit_images.py,profile_table.py,trace_table.py} "$bundle/"
{
    git describe --always --abbrev=12 --dirty --exclude='*'
    date -u +%Y-%m-%d
} >"$bundle/VERSION"

# 3. What the CPU device makes of the runs that the tests compare.
"$jdk/bin/java" --enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector \
    -cp "engine/target/test-classes:engine/target/classes:$(cat bench/target/classpath.txt)" \
    dev.rote.device.cuda.CpuResults "$bundle/cpu" 200

# 4. The runtime.
"$jdk/bin/jlink" --add-modules \
    java.base,java.desktop,java.instrument,java.logging,java.management,java.xml,jdk.incubator.vector,jdk.management,jdk.unsupported \
    --strip-debug --no-man-pages --no-header-files --compress zip-0 --output "$bundle/runtime"
find "$bundle/runtime" -name '*.so' -exec strip -s {} +

# 5. The archive.
tar -C "$work" --sort=name --owner=0 --group=0 -c rote-gpu | xz --x86 --lzma2=preset="${level#-}",dict=96MiB -c >"$file"
bytes=$(stat -c %s "$file")
echo "$file: $bytes bytes, commit $(head -n 1 "$bundle/VERSION")"
if [ "$bytes" -gt $limit ]; then
    echo "bundle.sh: expected at most $limit bytes, found $bytes" >&2
    exit 1
fi
