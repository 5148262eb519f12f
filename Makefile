# `make run` and `make test` do all the set-up themselves; stamps in .stamps/ make a second start quick.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CARGO := cargo
CORE := streaming/core
EXTENSION := streaming/_core.abi3.so
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
NPM_FLAGS := --no-audit --no-fund --loglevel=error
PACKAGES := signaling recorder streaming bandwidth benchmarks tests

RUST_SOURCES := $(shell find $(CORE) -path $(CORE)/target -prune -o \( -name '*.rs' -o -name 'Cargo.*' \) -print)
WEB_SOURCES := $(shell find web_client -name node_modules -prune -o -name dist -prune -o -type f -not -name '*.py' -print 2>/dev/null) signaling/checks/rules.json
VOICE := signaling/ends/voice

.PHONY: help run dev test setup setup-tests preflight preflight-tests lint types layers rust-checks web-checks pytest screenshots bench clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: setup .stamps/demo ## Set up what is missing and start the server with the demo lesson
	@echo "[6/6] starting"
	@exec $(BIN)/zhuandi demo

dev: setup-tests ## Start the server and the pages with live reload
	@trap 'kill 0' EXIT; npm --prefix web_client run dev & $(BIN)/zhuandi demo

setup: preflight .stamps/python .stamps/web .stamps/voice .stamps/core ## Build everything, start nothing

setup-tests: preflight-tests .stamps/system .stamps/python-tests .stamps/web .stamps/voice .stamps/core

preflight:
	@PYTHON=$(PYTHON) scripts/preflight

preflight-tests:
	@PYTHON=$(PYTHON) scripts/preflight tests

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV)

# The project itself is a path entry, so that edits to Python need no build.
.stamps/python: requirements/base.lock | $(BIN)/python
	@echo "[1/6] Python packages"
	@mkdir -p .stamps
	@[ -e .stamps/python-tests ] || $(PIP) -r requirements/base.lock
	@pwd > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/zhuandi.pth"
	@printf '#!%s\nimport sys\n\nfrom signaling.cli import app\n\nsys.exit(app())\n' "$$(pwd)/$(BIN)/python" > $(BIN)/zhuandi
	@chmod +x $(BIN)/zhuandi
	@touch $@

.stamps/python-tests: requirements/dev.lock .stamps/python
	@echo "[1/6] Python packages of the tests"
	@$(PIP) -r requirements/dev.lock
	@touch $@

.stamps/web: $(WEB_SOURCES)
	@echo "[2/6] web pages"
	@mkdir -p .stamps
	@[ .stamps/web-packages -nt web_client/package-lock.json ] || { npm --prefix web_client ci $(NPM_FLAGS) && touch .stamps/web-packages; }
	@npm --prefix web_client run --silent build
	@touch $@

# The demo lesson's voice; a melody stands in where this cannot be installed. A failure leaves a stamp of old, so that
# every start tries again, but briefly: without a network it must not wait long.
.stamps/voice: $(VOICE)/package-lock.json
	@echo "[3/6] voice of the demo lesson"
	@mkdir -p .stamps
	@patience=300; retries=2; [ ! -e $@ ] || { patience=10; retries=0; }; \
	if timeout $$patience npm --prefix $(VOICE) ci $(NPM_FLAGS) --fetch-retries=$$retries; then touch $@; \
	else touch -d @0 $@; echo "      no voice package: the demo lesson plays a melody instead"; fi

.stamps/core: $(RUST_SOURCES)
	@echo "[4/6] packet core (Rust, release); the first build takes some minutes"
	@mkdir -p .stamps
	@$(CARGO) build --manifest-path $(CORE)/Cargo.toml --release --locked -p zhuandi-py
	@cp $(CORE)/target/release/lib_core.so $(EXTENSION).new && mv $(EXTENSION).new $(EXTENSION)
	@touch $@

# Encoded before the start, so that the first link that people open shows a lesson at once.
.stamps/demo: $(wildcard signaling/ends/*.py) .stamps/python .stamps/voice
	@echo "[5/6] demo lesson; encoded once"
	@$(BIN)/python -m signaling.ends.demo_media
	@touch $@

.stamps/system: scripts/system-packages
	@mkdir -p .stamps
	@scripts/system-packages
	@touch $@

test: setup-tests lint types layers web-checks rust-checks pytest ## Everything that must hold, quick checks first

lint:
	@echo "== ruff"
	@$(BIN)/ruff check $(PACKAGES)
	@$(BIN)/ruff format --check $(PACKAGES)

types:
	@echo "== mypy"
	@$(BIN)/mypy

layers:
	@echo "== import-linter"
	@$(BIN)/lint-imports --no-cache

web-checks:
	@echo "== vue-tsc, vitest"
	@npm --prefix web_client run --silent check
	@npm --prefix web_client run --silent test

rust-checks:
	@echo "== cargo fmt, clippy, test"
	@$(CARGO) fmt --manifest-path $(CORE)/Cargo.toml --all --check
	@$(CARGO) clippy --manifest-path $(CORE)/Cargo.toml --locked --all-targets --quiet -- -D warnings
	@$(CARGO) test --manifest-path $(CORE)/Cargo.toml --locked --quiet

pytest:
	@echo "== pytest"
	@$(BIN)/python -m pytest

screenshots: setup-tests ## Take the pictures of docs/
	@$(BIN)/python -m tests.e2e.screenshots

bench: setup-tests ## Measure the figures of benchmarks/RESULTS.md
	@for name in forward joins crash lesson sound links simulator; do $(BIN)/python -m benchmarks.$$name --json; done

clean: ## Remove what was built (never data/)
	@rm -rf .stamps $(VENV) $(EXTENSION) web_client/dist web_client/node_modules $(VOICE)/node_modules
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@$(CARGO) clean --manifest-path $(CORE)/Cargo.toml --quiet
