#!/bin/sh
# Fuzzes the native library and its runner with libFuzzer: `fuzz.sh SECONDS PYTHON`, that long for each target. Inputs that reached
# something new stay in build/fuzz/corpus, where the next run goes on; one that found a bug is in build/fuzz/found, and
# `build/fuzz/fuzz/fuzz_TARGET FILE` shows it again.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
python=$2
PATH="$(cd "$(dirname "$python")" && pwd):$PATH"  # cmake
export PATH
folder=build/fuzz
mkdir -p "$folder/found"

if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    clang++ -x c++ - -fsanitize=fuzzer,address,undefined -o "$folder/probe" 2>/dev/null; then
    echo "Cannot fuzz: clang++ with libFuzzer is not installed. Debian and Ubuntu: apt-get install clang" >&2
    exit 1
fi
sh tools/build_native.sh "$folder" clang -fsanitize=fuzzer-no-link,address,undefined -DMBNN_FUZZ=ON
"$python" native/fuzz/seeds.py "$folder/seeds"
for target in options request delegate; do
    mkdir -p "$folder/corpus/$target"
    log=$folder/$target.log
    echo "Fuzzing $target for $seconds s"
    if ! "$folder/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=2048 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$folder/found/" "$folder/corpus/$target" "$folder/seeds/$target" >"$log" 2>&1; then
        grep -a -A30 -m1 -E 'ERROR|runtime error' "$log" >&2 || tail -30 "$log" >&2
        echo "Fuzzing $target found a bug; all it said is in $log" >&2
        exit 1
    fi
    # The last line of progress has the coverage and the corpus.
    grep -a -E '^#[0-9]+' "$log" | tail -1
    grep -a -E '^Done' "$log"
done
