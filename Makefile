# `make help` lists the targets. Everything is built with CMake and Ninja under build/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
MINUTES ?= 10
KEYS ?= 3
# One build tree for users and tests: the tests run what is shipped.
configure = mkdir -p build && { cmake --preset release -DQARION_BUILD_TESTS=$(1) >build/configure.log 2>&1 || \
  { cat build/configure.log; exit 1; }; }
# What the tests find their Python with.
export QARION_TEST_PYTHON := $(CURDIR)/build/venv/bin/python

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: build ## install what is missing, build, and show the command at work
	@tools/demo.sh build/release/bin/qsecrets

.PHONY: build
build: ## the hardened release build: build/release/bin/qsecrets
	@tools/setup.sh build
	@$(call configure,OFF)
	@cmake --build build/release

.PHONY: tests
tests: ## install what tests need, build them
	@tools/setup.sh test
	@$(call configure,ON)
	@cmake --build build/release

.PHONY: test
test: tests ## install what is missing, build, run every test
	@# Most of the tests' time is waiting.
	@ctest --test-dir build/release --output-on-failure --no-tests=error -j "$$(($$(nproc) + 2))"

.PHONY: asan
asan: ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer; prints coverage
	@tools/setup.sh sanitize
	@tools/sanitize.sh asan

.PHONY: tsan
tsan: ## the threaded tests under ThreadSanitizer
	@tools/setup.sh sanitize
	@tools/sanitize.sh tsan

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZ_SECONDS (60) each, from FUZZ_SEED (0: another each time)
	@tools/setup.sh sanitize
	@tools/fuzz.sh $(FUZZ_SECONDS) $(FUZZ_SEED)

.PHONY: jwt-drill
jwt-drill: ## rotate the key of JSON Web Tokens in eight busy processes for MINUTES (10); none may be rejected
	@tools/setup.sh test
	@$(call configure,ON)
	@cmake --build build/release --target token_service
	@PYTHONPATH=tests/integration/shared:tests/integration/vault build/venv/bin/python \
	  tests/integration/jwt/drill.py build/release/tests/token_service $(MINUTES) $(KEYS)

.PHONY: lint
lint: ## format, clang-tidy, include directions, bans, scripts
	@tools/setup.sh lint
	@tools/lint.sh

.PHONY: bench
bench: ## each measurement beside what it is compared with
	@tools/setup.sh bench
	@tools/bench.sh

.PHONY: install
install: build ## install under PREFIX (/usr/local)
	@cmake --install build/release --prefix $(PREFIX)
	@cp build/release/install_manifest.txt build/installed_files.txt
	@if ((EUID == 0)); then ldconfig; fi # so that programs find the shared library at once

.PHONY: uninstall
uninstall: ## remove what `make install` put there
	@test -f build/installed_files.txt || { echo "nothing was installed from here" >&2; exit 1; }
	@xargs -d '\n' rm -fv <build/installed_files.txt
	@rm build/installed_files.txt

.PHONY: clean
clean: ## remove build/
	@rm -rf build
