# One command for each thing one does with the repository. The presets are in CMakePresets.json.

packages := g++ cmake ninja-build libboost-dev libdnnl-dev ocl-icd-opencl-dev nlohmann-json3-dev libcli11-dev \
  libfmt-dev libgtest-dev libgmock-dev libbenchmark-dev libssl-dev libopenmpi-dev openmpi-bin libsimgrid-dev pkg-config \
  ccache clang-format xz-utils python3 python3-nbclient python3-ipykernel python3-matplotlib

jobs ?= $(shell nproc)
# The builds of users, tests and GPU bundle compile the same objects, each of them once by ccache. Looked up when a
# recipe runs, since `make deps` may come before it in the same call.
launcher = $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# strict=ON makes warnings errors in the users' build too.
strict ?= OFF
# Thread Sanitizer of g++ 12 stops at start where the kernel randomises more address bits than it knows.
fixed_addresses = $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: help deps build demo demo-full notebooks test test-dev test-tsan test-asan gpu-bundle check format clean

help:
	@echo 'make deps       install the Debian packages that are missing (says which)'
	@echo 'make build      build/release: the spillway command, optimised'
	@echo 'make demo       profile, plan and train a 3D U-Net on a brain at 2 mm'
	@echo 'make demo-full  the same at 1 mm (fetches the atlas from PyPI)'
	@echo 'make notebooks  run the notebooks and refresh their outputs in place'
	@echo 'make test       all tests, then the threaded ones under Thread Sanitizer'
	@echo 'make test-asan  all tests under Address and Undefined Behavior Sanitizer'
	@echo 'make gpu-bundle for a machine with a GPU: the CUDA build and its check in one file'
	@echo 'make check      folders include only what they may; sources are formatted'
	@echo 'make format     format all sources'

deps:
	@scripts/install-packages $(packages)

# Without tests and benchmarks: users wait for what they use.
build: deps
	cmake --preset release $(launcher) -DSPILLWAY_WITH_TESTS=OFF -DSPILLWAY_WITH_BENCH=OFF \
	  -DCMAKE_COMPILE_WARNING_AS_ERROR=$(strict)
	cmake --build --preset release -j $(jobs) --target spillway

demo: build
	scripts/demo

demo-full: build
	scripts/fetch-icbm152-full "$${XDG_CACHE_HOME:-$$HOME/.cache}/spillway/icbm152_1mm"
	scripts/demo --full "$${XDG_CACHE_HOME:-$$HOME/.cache}/spillway/icbm152_1mm"

# Debian's Python, for which the packages above are; another may come first on PATH.
notebooks: build
	SPILLWAY=$(CURDIR)/build/release/spillway /usr/bin/python3 notebooks/execute notebooks/*.ipynb

test:
	@$(MAKE) --no-print-directory test-dev
	@$(MAKE) --no-print-directory test-tsan

test-dev: deps
	cmake --preset dev $(launcher)
	cmake --build --preset dev -j $(jobs)
	ctest --preset dev -j $(jobs)

# The build runs the test programs too, to list their tests.
test-tsan: deps
	cmake --preset tsan $(launcher)
	$(fixed_addresses) cmake --build --preset tsan -j $(jobs)
	$(fixed_addresses) ctest --preset tsan -j $(jobs)

test-asan: deps
	cmake --preset asan $(launcher)
	$(fixed_addresses) cmake --build --preset asan -j $(jobs)
	$(fixed_addresses) ctest --preset asan -j $(jobs)

# Needs a CUDA toolkit, cuDNN and cuBLAS, but no GPU. Then goes through the whole check with a GPU's fake.
gpu-bundle: deps
	cmake --preset gpu-bundle $(launcher)
	cmake --build --preset gpu-bundle -j $(jobs)
	scripts/gpu-bundle
	rm -rf build/gpu-bundle/dry-run-results
	build/gpu-bundle/spillway-gpu-bundle/gpu-check --dry-run --results build/gpu-bundle/dry-run-results

check:
	scripts/check-layers
	scripts/check-format

format:
	git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format -i

clean:
	rm -rf build
