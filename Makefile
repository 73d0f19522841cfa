# Everything that is done to this repository. The servers of tests and demo live in target/services.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help services demo servers test test-browser rules matrix chaos sim sim-mutants footprint bench flame-graph bench-decode bench-check bench-alloc verify-million fuzz audit fmt clippy clean-services

# A build and the fetching of the servers run beside each other, the latter in a process group of its own: a shell's
# background jobs do not hear Ctrl-C. Both need the tools of tools/prerequisites.sh.
define build_and_services
	@tools/prerequisites.sh
	@setsid tools/services.sh & services=$$!; \
	trap 'kill -- -$$services 2> /dev/null; exit 130' INT TERM; \
	cargo build $(1) || { kill -- -$$services 2> /dev/null; exit 1; }; \
	wait $$services
endef

# Built by `--workspace --bins`: cargo unites the features of all that is built at once, so `cargo run --package` after
# it would build the shared dependencies anew.
DEMO = $${CARGO_TARGET_DIR:-target}/debug/demo

help: ## What there is to do
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

services: ## Fetch Kafka, Milvus 2.3.5 and Milvus Lite (3.2.2, 2.5.1) into target/services
	@tools/services.sh

demo: ## Kafka to Milvus in six steps, on real servers (MILVUS=lite: the small one; ENDPOINT=… TOKEN=…: your own Milvus; KEEP=1: stays up)
	$(call build_and_services,--workspace --bins)
	@$(DEMO)

servers: ## Kafka and Milvus for trying things by hand, until Ctrl-C (MILVUS=lite: the small one)
	$(call build_and_services,--workspace --bins)
	@$(DEMO) servers

test: ## Unit, property and integration tests on the real servers
	$(call build_and_services,--workspace --all-targets)
	@cargo test --workspace --no-fail-fast

test-browser: ## The status page of a live sink in headless Chromium, and its pictures in docs/ (needs Debian's chromium)
	$(call build_and_services,--workspace --bins)
	@$${CARGO_TARGET_DIR:-target}/debug/test_browser

rules: ## Alerts and recording rules, and what makes each alert fire, by promtool (Debian's prometheus)
	@promtool check rules packaging/prometheus/alerts.yml packaging/prometheus/recording.yml
	@promtool test rules packaging/prometheus/tests.yml

# The table in docs/delivery.md says which tests those are.
matrix: ## The faults that were tried, in full length: minutes of outage, dozens of kills (about an hour)
	$(call build_and_services,--workspace --all-targets)
	@MATRIX_FULL=1 cargo test --test it -- --exact \
		$$(sed -n '/^## Faults that were tried/,/^## What/s/`it::/\n/gp' docs/delivery.md | sed -n 's/^\([a-z0-9_:]*\)`.*/\1/p')

# The one package is optimised, the others are as they are for every test.
sim: ## SEEDS=100000 of the simulation, from FIRST=0 on (SEED=7: that one, with its story); `make test` runs 10,000
	@SIM_SEEDS=$${SEEDS:-100000} SIM_FIRST=$(FIRST) SIM_SEED=$(SEED) cargo test \
		--config profile.dev.package.kafka-milvus-sink.opt-level=2 --lib sim:: -- --nocapture

chaos: ## Sinks, brokers and Milvus that fail for SECONDS=600, by a SEED (a new one), and an audit; `make test` runs a minute
	$(call build_and_services,--workspace --bins)
	@CHAOS_SECONDS=$(or $(SECONDS),600) CHAOS_SEED=$(SEED) $${CARGO_TARGET_DIR:-target}/debug/chaos

sim-mutants: ## Whether the simulation finds the mistakes of tools/mutants/, made on purpose (SEEDS=10000)
	@tools/sim-mutants.sh

footprint: ## Memory of the idle release binary, and its time to the first row (MILVUS=lite: on the small one)
	$(call build_and_services,--release --bin kafka-milvus-sink)
	@cargo run --quiet --package testkit --bin footprint

# The one package alone: together with others it would be built with their features, and the peers would be slower.
BENCH_DECODE = cargo build --release --package bench-decode && $${CARGO_TARGET_DIR:-target}/release/bench-decode

bench-decode: ## Records into requests, beside serde_json and fast-float2 in the same minute (RECORDS=1000000 for allocations)
	@$(BENCH_DECODE)

bench-check: ## Whether decoding has become slower than docs/benchmarks.json says (needs valgrind; UPDATE=1 writes it anew)
	@$(BENCH_DECODE) $(if $(UPDATE),update,check)

# As `sim`: optimised is the one package.
verify-million: ## Whether verify finds 100 rows of a million that were changed behind its back, and in how much memory (ROWS=…, MILVUS=lite)
	$(call build_and_services,--workspace --bins --config profile.dev.package.kafka-milvus-sink.opt-level=2)
	@$${CARGO_TARGET_DIR:-target}/debug/verify_million

# The sink is built beside its measures: what it shares with them has some more features than in a build of its own.
BENCHES = --release --workspace --bin kafka-milvus-sink --bin bench --bin bench-decode-only

bench: ## How fast it is from end to end, beside its parts alone; about 15 minutes (ONLY=w768,latency: some of it; UPDATE=1 keeps the results)
	$(call build_and_services,$(BENCHES))
	@$${CARGO_TARGET_DIR:-target}/release/bench

flame-graph: ## Where the time goes, W768 end to end: target/flame-graph.svg (needs perf, and cargo install inferno)
	$(call build_and_services,$(BENCHES))
	@FLAME_GRAPH=target/flame-graph.svg $${CARGO_TARGET_DIR:-target}/release/bench

bench-alloc: ## Allocations per record of the whole writer, over a million records (a minute)
	@cargo run --release --package station-bench

# What is looked for in the first are panics and uneven columns, so no sanitizer; the second runs the unsafe code.
fuzz: ## Any bytes with any schema, and as vectors, FUZZ_SECONDS=60 each (needs a nightly toolchain and cargo-fuzz); `make test` does some of it
	@cargo +nightly fuzz run --dev --sanitizer none decode -- -max_total_time=$${FUZZ_SECONDS:-60}
	@cargo +nightly fuzz run --dev --sanitizer address arrays -- -max_total_time=$${FUZZ_SECONDS:-60}

fmt: ## Format all code
	@cargo fmt --all

clippy: ## Lints; a warning is an error
	@cargo clippy --workspace --all-targets -- -D warnings

audit: ## Licences, bans, sources and (where the database can be had) advisories of all dependencies
	@tools/audit.sh

clean-services: ## Remove the fetched servers, their logs and data
	@rm -rf target/services target/it-logs target/it-data
