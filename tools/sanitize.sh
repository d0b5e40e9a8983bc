#!/bin/sh
# Runs the native tests on builds with sanitizers: `sanitize.sh PYTHON`. Says so where a sanitizer is not installed.
#
# Python and TensorFlow are not built with them, so the sanitizers' libraries are loaded ahead of everything. And they
# leak, so leaks are looked for in programs without Python: a fake runtime that makes, runs and frees delegates.
set -eu
cd "$(dirname "$0")/.."
python=$1
PATH="$(cd "$(dirname "$python")" && pwd):$PATH"  # cmake
export PATH
mkdir -p build
# Left out below: the sanitizers' own allocators (GCC 12) do not bear a fork while another thread allocates. The child's
# next allocation waits forever for a lock that the other thread held; ten lines of C show it.
fork_while=fork_while_another_thread

# Whether a compiler has a sanitizer's library.
has() {
    echo 'int main() { return 0; }' | "$1" -x c++ - -fsanitize="$2" -o build/probe 2>/dev/null && return 0
    echo "sanitize: skipped: $1 has no -fsanitize=$2" >&2
    return 1
}

# The native tests on the library in folder $1, with the sanitizers' libraries $2 and the tests $3.
run_tests() {
    folder=$1 libraries=$2
    shift 2
    MBNN_TEST_LIBRARY="$PWD/build/$folder/libmobile_bnn_delegate.so" LD_PRELOAD="$libraries" \
        "$python" -m pytest -q -n auto -p no:cacheprovider "$@"
}

if has g++ address,undefined; then
    echo "AddressSanitizer and UndefinedBehaviorSanitizer: the native tests"
    sh tools/build_native.sh build/asan gcc -fsanitize=address,undefined
    # The tests left out are about the library as it ships, and the forks that "fork_while" names.
    ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0:allocator_may_return_null=1 \
        run_tests asan "$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)" \
        tests/native --ignore tests/native/test_library.py --ignore tests/native/test_simde_build.py \
        --ignore tests/native/test_cross_builds.py -m "not slow" -k "not $fork_while"
fi
if has g++ thread; then
    echo "ThreadSanitizer: the native tests of threads, and of forks beside them"
    sh tools/build_native.sh build/tsan gcc -fsanitize=thread
    # It counts threads on in the child of a fork, and ends a child whose new thread gets the number of one that is gone:
    # what the others start there is tested without it.
    TSAN_OPTIONS=die_after_fork=0 run_tests tsan "$(g++ -print-file-name=libtsan.so)" \
        tests/native/test_models.py tests/native/test_traced_interpreters.py tests/native/test_forked_delegates.py \
        -k "thread and not threads_of_a_child and not $fork_while"
fi
if has clang++ fuzzer-no-link,address,undefined; then
    echo "LeakSanitizer: 1,000 times create, invoke, resize and destroy; a few seconds of fuzzing"
    sh tools/fuzz.sh 10 "$python"
    build/fuzz/fuzz/replay_delegate 1000 build/fuzz/seeds/delegate/*-0
fi
