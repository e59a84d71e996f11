# The commands of daily work; each is a line or two, the work is done by CMake and the scripts in tools/.
.DEFAULT_GOAL := help
.PHONY: help demo build test test-slow bench install uninstall package format lint docs-check clean packages

PREFIX ?= /usr/local
DESTDIR ?=

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## from a fresh Debian 12 to a tuned policy: packages, build, tune examples/shop, name the report
	@tools/demo

build: ## the optimised program: build/release/src/cli/headroom, started by ./headroom
	@tools/build program

test: ## everything that CI runs; installs missing packages; prints the time of each stage
	@tools/test

test-slow: ## what takes too long for every change: all tests in all presets, the thread sanitizer, long runs
	@tools/test slow

bench: ## all benchmarks, medians of repetitions; JSON in build/bench/
	@tools/bench

install: ## the program, completion for bash and zsh, manual pages (PREFIX=/usr/local, DESTDIR=)
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" tools/install

uninstall: ## remove what `make install` of this folder installed
	@tools/uninstall

package: ## the Debian package, in build/package/
	@tools/package

format: ## rewrite the C++ files as .clang-format says
	@tools/lint format --fix

lint: ## clang-format, shellcheck, self-contained headers, clang-tidy
	@tools/lint

docs-check: ## the documents against the code: links, modules, commands
	@tools/docs-check

clean: ## remove build/
	rm -rf build

packages: ## install the missing Debian packages of packages.txt
	@tools/install-packages test
