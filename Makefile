# The commands of the README. Every target works from any shell and sets up its own environment.
SHELL := /bin/sh
VENV  := .venv
PY    := $(VENV)/bin/python
MBNN  := $(VENV)/bin/mbnn
CMAKE := $(VENV)/bin/cmake
READY := $(VENV)/.ready

.PHONY: demo test test-aarch64 fuzz sanitize lint setup test-deps wheel wheel-aarch64 android runtimes bench peak \
        conversion-matrix fuzz-conversion bench-conversion clean help

help:
	@echo "make demo       train, convert, verify, profile and report a binary network on real images (runs/demo/)"
	@echo "make test       run every test"
	@echo "make test-aarch64  the native library on emulated 64-bit ARM; Linux, as root"
	@echo "make fuzz       fuzz the native library, FUZZ_SECONDS=60 for each target; needs clang"
	@echo "make sanitize   the native tests with sanitizers, leaks, a little fuzzing"
	@echo "make lint       ruff and mypy"
	@echo "make test-deps  Debian/Ubuntu, as root: Chromium, Fashion-MNIST, SIMDe, musl, qemu, so that no test is skipped"
	@echo "make wheel      build dist/*.whl for this kind of PC; make wheel-aarch64 for the Raspberry Pi, on any PC"
	@echo "make android    build dist/android/*/libmobile_bnn_delegate.so, with the NDK of ANDROID_NDK_HOME or without any"
	@echo "make runtimes   run the native library in every TFLite runtime that it supports (docs/runtimes.md)"
	@echo "make bench      time every engine side by side; BENCH=\"--models quicknet_small --rounds 10\" for less"
	@echo "make bench-conversion  time and memory of a conversion beside LCE's converter"
	@echo "make peak       the native operators beside the machine's limits, in one run; also in build/peak/peak.json"
	@echo "make fuzz-conversion  convert NETWORKS=500 random networks and compare them with Keras"
	@echo "make conversion-matrix  what becomes of every kind of graph, beside LCE's converter (docs/conversion-matrix.md)"
	@echo "make clean      remove the virtual environment and build outputs"

# Prefers the Python that most releases were tested with; any of 3.10-3.12 will do. PYTHON=... chooses another.
$(READY): pyproject.toml constraints.txt tools/find_python.sh $(wildcard native/CMakeLists.txt native/*/*.cc native/*/*.h native/*.h)
	@python="$$(sh tools/find_python.sh $(PYTHON))" && \
	  { "$(PY)" -c pass 2>/dev/null || { rm -rf $(VENV) && echo "Creating $(VENV) with $$python" && "$$python" -m venv $(VENV); }; }
	@echo "Installing the packages of constraints.txt and building native/ (about a minute, once)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	@touch $(READY)

setup: $(READY)

demo: $(READY)
	@$(MBNN) demo

TESTS := tests
test: $(READY)
	@$(PY) -m pytest -n auto --dist worksteal $(TESTS)

test-aarch64: $(READY)
	@sh tools/aarch64/test.sh $(PY)

FUZZ_SECONDS := 60
fuzz: $(READY)
	@sh tools/fuzz.sh $(FUZZ_SECONDS) $(PY)

sanitize: $(READY)
	@sh tools/sanitize.sh $(PY)

lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@sh tools/mypy.sh $(PY)

test-deps:
	@sh tools/test_deps.sh

wheel: $(READY)
	@sh tools/wheel.sh $(PY) x86_64 dist

wheel-aarch64: $(READY)
	@sh tools/wheel.sh $(PY) aarch64 dist

android: $(READY)
	@sh tools/android.sh $(PY) dist/android

runtimes: $(READY)
	@$(PY) tools/runtimes/table.py

bench: $(READY)
	@$(PY) benchmarks/bench $(BENCH)

bench-conversion: $(READY)
	@$(PY) benchmarks/conversion

peak: $(READY)
	@mkdir -p build
	@$(CMAKE) -S native -B build/peak -DMBNN_BENCHMARKS=ON >build/peak.log 2>&1 || { cat build/peak.log; exit 1; }
	@$(CMAKE) --build build/peak --target mobile_bnn_peak >>build/peak.log 2>&1 || { cat build/peak.log; exit 1; }
	@build/peak/mobile_bnn_peak --json build/peak/peak.json

conversion-matrix: $(READY)
	@$(PY) tools/conversion_matrix/table.py

NETWORKS := 500
fuzz-conversion: $(READY)
	@MBNN_NETWORKS=$(NETWORKS) $(PY) -m pytest tests/converters/test_random_networks.py

clean:
	rm -rf $(VENV) build dist
