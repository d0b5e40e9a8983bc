# The commands of the README. Every target works from any shell and sets up its own environment.
SHELL := /bin/sh
VENV  := .venv
PY    := $(VENV)/bin/python
MBNN  := $(VENV)/bin/mbnn
CMAKE := $(VENV)/bin/cmake
READY := $(VENV)/.ready

.PHONY: help demo zoo-figures test test-quick test-deps test-devices test-aarch64 fuzz sanitize lint setup wheel wheel-aarch64 android aar android-demo android-install test-android runtimes \
        bench bench-conversion bench-training peak test-methods-long conversion-matrix fuzz-conversion fuzz-exact exact-mutants clean

help: ## list the targets, as here
	@sed -n 's/^\([a-z0-9-]*\):[^=]*## \(.*\)/make \1@\2/p' Makefile | awk -F@ '{ printf "%-23s %s\n", $$1, $$2 }'

# An editable install lists the packages that it has, and the library is built from native/.
SOURCES := $(wildcard */__init__.py */*/__init__.py */*/*/__init__.py) \
           $(wildcard native/CMakeLists.txt native/*/*.cc native/*/*.h native/*.h)

# Prefers the Python that most releases were tested with; any of 3.10-3.12 will do. PYTHON=... chooses another.
$(READY): pyproject.toml constraints.txt tools/find_python.sh $(SOURCES)
	@python="$$(sh tools/find_python.sh $(PYTHON))" && \
	  { "$(PY)" -c pass 2>/dev/null || { rm -rf $(VENV) && echo "Creating $(VENV) with $$python" && "$$python" -m venv $(VENV); }; }
	@echo "Installing the packages of constraints.txt and building native/ (about a minute, once)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --use-pep517 -c constraints.txt -e '.[train,camera,devices,dev]'
	@touch $(READY)

setup: $(READY) ## set up .venv with the versions that were tested together, and build the native library into it

demo: $(READY) ## train, convert, verify, profile and report a binary network on real images (runs/demo/)
	@$(MBNN) demo

TESTS := tests
test: $(READY) ## run every test on all cores; TESTS=tests/data runs a part
	@$(PY) -m pytest -n auto --dist worksteal $(TESTS)

test-quick: ## run the tests that take less than about ten seconds each
	@$(MAKE) --no-print-directory test TESTS="-m 'not slow' $(TESTS)"

test-methods-long: $(READY) ## train, resume and convert with every method; goes on where it stopped; METHODS="bnn lab" for a few
	@$(PY) tools/method_checks $(METHODS)
	@$(PY) tools/method_docs/methods_page.py

zoo-figures: $(READY) ## build, convert and time every architecture, and write docs/zoo.md; goes on where it stopped
	@$(PY) tools/zoo_figures/measure.py
	@$(PY) tools/zoo_docs/zoo_page.py

test-devices: $(READY) ## run the tests on a virtual Raspberry Pi and a virtual phone; Debian or Ubuntu, as root
	@sh tools/test_devices.sh $(PY)

test-aarch64: $(READY) ## run the native library on emulated 64-bit ARM; Linux, as root
	@sh tools/aarch64/test.sh $(PY)

FUZZ_SECONDS := 60
fuzz: $(READY) ## fuzz the native library with clang's libFuzzer, FUZZ_SECONDS=60 for each target
	@sh tools/fuzz.sh $(FUZZ_SECONDS) $(PY)

sanitize: $(READY) ## run the native tests with sanitizers, look for leaks, fuzz a little
	@sh tools/sanitize.sh $(PY)

lint: $(READY) ## run ruff and mypy, and collect every test
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@sh tools/mypy.sh $(PY)
	@collected="$$($(PY) -m pytest --collect-only -qq -p no:cacheprovider $(TESTS) 2>&1)" || { echo "$$collected"; exit 1; }

test-deps: ## install what some tests need (tools/debian_packages.txt); Debian or Ubuntu, as root
	@sh tools/test_deps.sh

wheel: $(READY) ## build dist/*.whl for this kind of PC
	@sh tools/wheel.sh $(PY) x86_64 dist

wheel-aarch64: $(READY) ## build dist/*.whl for the Raspberry Pi, on any PC
	@sh tools/wheel.sh $(PY) aarch64 dist

android: $(READY) ## build the library and the measuring program for phones into dist/android/, with the NDK of ANDROID_NDK_HOME or without any
	@sh tools/android.sh $(PY) dist/android

aar: $(READY) ## build the Android library with its sources and Javadoc into dist/aar/, without the SDK and the NDK
	@$(PY) tools/android/aar.py dist/aar

APK := dist/apk/mobile-bnn-demo.apk
android-demo: $(READY) ## build the demo for phones as a signed APK (dist/apk/), without the SDK and the NDK
	@$(PY) tools/android/apk.py $(APK)

android-install: android-demo ## put the demo on the phone that is plugged in, and start it
	@$(PY) tools/android/install.py $(APK)

test-android: android-demo ## run the tests of the Android library and of the demo on this PC's JVM; screenshots in build/android/screenshots
	@$(PY) tools/android/test.py $(APK)

runtimes: $(READY) ## run the native library in every TFLite runtime that it supports (docs/runtimes.md)
	@$(PY) tools/runtimes/table.py

bench: $(READY) ## time every engine side by side; BENCH="--models quicknet_small --rounds 10" for less
	@$(PY) benchmarks/bench $(BENCH)

bench-conversion: $(READY) ## measure time and memory of a conversion beside LCE's converter
	@$(PY) benchmarks/conversion

bench-training: $(READY) ## time a training step with every method, beside bnn and beside plain Larq and Keras
	@$(PY) benchmarks/training

peak: $(READY) ## time the native operators beside the machine's limits; also in build/peak/peak.json
	@mkdir -p build
	@$(CMAKE) -S native -B build/peak -DMBNN_BENCHMARKS=ON >build/peak.log 2>&1 || { cat build/peak.log; exit 1; }
	@$(CMAKE) --build build/peak --target mobile_bnn_peak >>build/peak.log 2>&1 || { cat build/peak.log; exit 1; }
	@build/peak/mobile_bnn_peak --json build/peak/peak.json

conversion-matrix: $(READY) ## write what becomes of every kind of graph, beside LCE's converter (docs/conversion-matrix.md)
	@$(PY) tools/conversion_matrix/table.py

NETWORKS := 500
fuzz-conversion: $(READY) ## convert NETWORKS=500 random networks and compare them with Keras
	@MBNN_NETWORKS=$(NETWORKS) $(PY) -m pytest tests/converters/test_random_networks.py

fuzz-exact: $(READY) ## convert NETWORKS=500 random networks of exact sums, whose files must equal them in every bit
	@MBNN_EXACT_NETWORKS=$(NETWORKS) MBNN_EXACT_KERAS=6 $(PY) -m pytest tests/converters/exact

exact-mutants: NETWORKS := 200
exact-mutants: $(READY) ## put one wrong thing into files of NETWORKS=200 exact sums, and count what the comparison names
	@$(PY) tools/exact_mutants/table.py $(NETWORKS)

clean: ## remove the virtual environment and build outputs
	rm -rf $(VENV) build dist
