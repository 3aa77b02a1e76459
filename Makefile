# Every target has one line of help: `make` prints them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO := cargo
LAB := target/release/lab
PREFIX := $(HOME)/.local

.PHONY: help setup build install up down test test-all fast fuzz audit check golden bench clean

help: ## Print this help
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## Bring what is missing on this machine: Docker engine, buildx, kind, inotify limits
	@scripts/setup

build: ## Build the lab binary
	$(CARGO) build --release --locked

install: build ## Install lab with its manual and completions below PREFIX, ~/.local if you do not say
	@scripts/install $(LAB) $(PREFIX)

up: setup build ## Make the lab and prove it with a Spark job
	$(LAB) up

down: build ## Remove the lab's cluster
	$(LAB) down

test: fast ## Run all tests, the real cluster included (setup first on a new machine)
	$(CARGO) test --release --locked --test e2e -- --ignored --nocapture --skip long::

test-all: test ## Run what is longer as well, the audit included, and record the result in docs/test-all.md
	@scripts/setup browser
	tests/all

fast: check ## Run the tests that need no Docker
	$(CARGO) test --release --locked

fuzz: ## Feed the parsers with what nobody wrote, 20 s each; scripts/fuzz TARGET SECONDS for longer
	@scripts/fuzz

audit: build ## Look for what is known to be bad in crates, manifests, recipes and images
	@scripts/audit

check: ## Check format, lints and scripts
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	@$(CARGO) metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	@tests/scripts

golden: ## Rewrite the golden files from what the program prints now
	LAB_GOLDEN=write $(CARGO) test --release --locked --test goldens

bench: build ## Measure: raw kind against lab up, second up, memory, Airflow, proofs; scripts/bench PART for one
	scripts/bench

clean: ## Remove build output of the binary; images and labs stay
	$(CARGO) clean
	rm -rf fuzz/target
