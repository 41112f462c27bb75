# Everything a person or CI does here. `make help` lists it. Nothing is rebuilt that is there already.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help tools build test demo bench lint fmt crds deny-tool

# The end-to-end tests mostly wait, so more of them run at a time than there are processors.
TEST_THREADS ?= 6

# The version is part of the path, so that another version is another file.
DENY_VERSION := 0.20.2
DENY := .cache/tools/cargo-deny-$(DENY_VERSION)/bin/cargo-deny

step = @printf '\n== %s\n' "$(1)"

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## build the control plane of the tests and install the AWS stand-in (10 minutes once, then nothing)
	@tests/tools/install

build: ## compile everything, tests included
	$(call step,compiling the operator and its tests (about 5 minutes the first time))
	@cargo build --workspace --all-targets --locked

test: tools build ## run every test
	$(call step,checking the checker of AWS requests)
	@.cache/python/bin/python tests/tools/validate_requests.py --self-test
	$(call step,checking the template of Environments)
	@.cache/python/bin/cfn-lint config/aws/environment.yaml
	$(call step,running the tests)
	@RUST_TEST_THREADS=$(TEST_THREADS) cargo test --workspace --locked

demo: tools ## watch PrivateServices become running ECS services, in a simulated AWS
	$(call step,compiling the operator and the demo)
	@# As make build does: other packages at a time mean other features of their dependencies, and so compiling all of them again.
	@cargo build --workspace --all-targets --locked
	@"$${CARGO_TARGET_DIR:-target}/debug/demo"

bench: tools ## count the AWS calls, the time and the memory that many services take
	$(call step,compiling with optimisation (about 7 minutes the first time))
	@cargo build --locked --release -p privateservice-operator -p aws-sim -p privateservice-tests --bins
	@cargo run --locked -q --release -p privateservice-tests --bin bench

lint: tools deny-tool ## formatting, clippy, dependencies, charts
	$(call step,formatting)
	@cargo fmt --all -- --check
	$(call step,clippy)
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	$(call step,dependencies: licences and what must not be among them)
	@$(DENY) --locked check bans licenses sources
	$(call step,charts: their templates and the schema of their values)
	@helm="$$(tests/tools/install --where)/helm"; for chart in charts/*; do \
	  "$$helm" lint --strict --quiet "$$chart"; \
	  "$$helm" template --namespace default release "$$chart" >/dev/null; \
	done

fmt: ## format the code
	@cargo fmt --all

crds: ## write crds/*.yaml and their chart again from the types
	$(call step,writing crds/ and charts/privateservice-operator-crds/templates/)
	@UPDATE_CRDS=1 cargo test --locked -q -p privateservice-api --test crds

deny-tool:
	@if [[ ! -x $(DENY) ]]; then \
	  printf '\n== building cargo-deny %s (about 4 minutes the first time)\n' "$(DENY_VERSION)"; \
	  cargo install --locked --root "$(CURDIR)/.cache/tools/cargo-deny-$(DENY_VERSION)" cargo-deny@$(DENY_VERSION); \
	fi
