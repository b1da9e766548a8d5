# make run: build and run the demo.  make test: install what the tests need and pass them all.  make help: the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo
NPM ?= npm
ARCH ?= $(shell dpkg --print-architecture 2>/dev/null || echo amd64)
BINARY = $(shell . packaging/architectures $(ARCH) && echo $$binary)
CARGO_DEB_VERSION = 3.8.0
# The folders of this machine stay out of the binary, so that every machine builds the same bytes.
REMAP = --remap-path-prefix=$(CURDIR)=/visavis --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo
PROGRAM_SOURCES = web/dist/index.html $(shell find src config -type f) Cargo.toml Cargo.lock build.rs
WEB_SOURCES := $(shell find web/src web/public web/scripts -type f 2>/dev/null) $(wildcard web/*.json web/*.ts web/*.js web/*.html)

.PHONY: help
help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: run
run: target/release/visavis ## build everything and run the demo on this machine alone
	@target/release/visavis serve --demo

.PHONY: build
build: target/release/visavis ## the daemon with its web client inside

.PHONY: deb
deb: $(BINARY) target/package/documents/visavis.8 target/tools/bin/cargo-deb ## the Debian package in target/debian: ARCH=amd64, arm64 or armhf (this machine's)
	@packaging/need git "apt-get install git"
	@packaging/need python3 "apt-get install python3"
	packaging/package $(ARCH)

.PHONY: test
test: prerequisites format-check lint test-rust test-fuzz test-web test-package test-browser test-installed ## install what the tests need, and pass them all
	@tests/tools/summary

.PHONY: test-rust
test-rust: prerequisites web/dist/index.html ## unit and integration tests of the daemon
	$(CARGO) test --locked --all-targets 2>&1 | tests/tools/count rust

.PHONY: test-fuzz
test-fuzz: prerequisites ## a short run of the fuzz targets, their corpora included
	FUZZ_SECONDS=20 fuzz/run 2>&1 | tests/tools/count fuzz

.PHONY: test-web
test-web: web/node_modules/.installed ## unit tests of the web client
	cd web && $(NPM) --silent test 2>&1 | ../tests/tools/count web

.PHONY: test-package
test-package: prerequisites deb ## the Debian package: its files, lintian, its binary, installing and purging; ARCH=...
	VISAVIS_ARCH=$(ARCH) $(CARGO) test --locked --test package -- --ignored 2>&1 | tests/tools/count package

.PHONY: test-cross
test-cross: ## the same for arm64 and armhf, their binaries at work on emulated processors
	@packaging/need qemu-arm-static "apt-get install qemu-user-static"
	$(MAKE) test-package ARCH=arm64
	$(MAKE) test-package ARCH=armhf

.PHONY: test-browser
test-browser: prerequisites target/release/visavis tests/node_modules/.installed ## real browsers, in a network namespace of their own
	tests/browser/run 2>&1 | tests/tools/count browser

.PHONY: test-installed
test-installed: prerequisites deb tests/node_modules/.installed ## the package on a Debian 12 of its own, booted in namespaces: one call and no waiting
	VISAVIS_RELEASES=bookworm tests/appliance/run --grep-invert @long 2>&1 | tests/tools/count installed

.PHONY: test-appliance
test-appliance: prerequisites deb tests/node_modules/.installed ## the same on Debian 12 and 13, with upgrades in mid-call and long waits
	tests/appliance/run 2>&1 | tests/tools/count appliance

.PHONY: test-powercut
test-powercut: deb tests/node_modules/.installed ## pull the plug of a virtual machine POWERCUT_ROUNDS times (20); POWERCUT_SEED=n again (needs QEMU)
	tests/powercut/run 2>&1 | tests/tools/count powercut

.PHONY: test-crash
test-crash: prerequisites web/dist/index.html ## kills, power cuts and failing disks, in CRASH_ROUNDS rounds (500); CRASH_SEED=n again
	VISAVIS_CRASH_ROUNDS=$(or $(CRASH_ROUNDS),500) $(if $(CRASH_SEED),VISAVIS_CRASH_SEED=$(CRASH_SEED)) $(CARGO) test --locked --test crash

.PHONY: test-conformance
test-conformance: prerequisites web/dist/index.html ## slow clients by the thousand (slowhttptest)
	$(CARGO) test --locked --test conformance slow_clients -- --ignored --nocapture

.PHONY: test-tls
test-tls: prerequisites target/release/visavis ## the daemon's TLS against testssl.sh; ARGS="-P -S" for some of it
	tests/tools/testssl target/release/visavis $(ARGS)

PYTHON2 ?= python2.7
.PHONY: test-autobahn
test-autobahn: target/autobahn/bin/wstest ## Autobahn's WebSocket conformance; needs Python 2.7 with pip, which Debian has no more: PYTHON2=...
	PYTHON2=$(PYTHON2) $(CARGO) test --locked --test conformance autobahn -- --ignored --nocapture

target/autobahn/bin/wstest:
	@packaging/need $(PYTHON2) "build it: https://www.python.org/downloads/release/python-2718/, then make test-autobahn PYTHON2=/its/bin/python2.7"
	PYTHONUSERBASE=$(CURDIR)/target/autobahn $(PYTHON2) -m pip install --quiet --user autobahntestsuite==25.10.1

.PHONY: test-reproducible
test-reproducible: prerequisites ## build the last commit's package twice in different folders, and compare: ARCH=...
	tests/package/reproducible $(ARCH)

.PHONY: fuzz
fuzz: prerequisites ## fuzz each target for FUZZ_SECONDS (an hour); ARGS="server" for one
	fuzz/run $(ARGS)

.PHONY: sim
sim: prerequisites web/dist/index.html ## simulate SIM_SEEDS (200000) histories of rooms under faults; SIM_SEED=17 for one
	SIM_SEEDS=$${SIM_SEEDS:-200000} $(CARGO) test --locked --release --test sim -- --nocapture

.PHONY: bench-relay
bench-relay: target/release/visavis ## the relay against coturn, on one core each (needs two); ARGS="--quick even"
	$(CARGO) bench --locked --bench relay -- $(ARGS)

.PHONY: bench-signaling
bench-signaling: target/release/visavis ## the signaling against Node and Django Channels (needs two cores); ARGS="--quick relay"
	$(CARGO) bench --locked --bench signaling -- $(ARGS)

.PHONY: lint
lint: web/dist/index.html tests/node_modules/.installed ## clippy with warnings denied, types and lints of the web client
	$(CARGO) clippy --locked --all-targets -- -D warnings
	cd web && $(NPM) --silent run lint
	for suite in browser appliance powercut; do web/node_modules/.bin/tsc -p tests/$$suite; done

.PHONY: format format-check
format: ## format the Rust code
	$(CARGO) fmt
	cd fuzz && $(CARGO) fmt
format-check: ## fail if the Rust code is not formatted
	$(CARGO) fmt --check
	cd fuzz && $(CARGO) fmt --check

.PHONY: web
web: web/dist/index.html ## the web client alone

.PHONY: prerequisites
prerequisites: ## install the Debian packages the tests use (as root)
	@tests/tools/prerequisites

.PHONY: clean
clean: ## delete what was built
	$(CARGO) clean
	rm -rf fuzz/target fuzz/found web/dist web/node_modules tests/node_modules

target/release/visavis: export RUSTFLAGS = $(REMAP)
target/release/visavis: $(PROGRAM_SOURCES)
	@packaging/need cargo "curl https://sh.rustup.rs -sSf | sh"
	@packaging/need cc "apt-get install gcc libc6-dev"
	$(CARGO) build --release --locked
	@touch $@

target/%/release/visavis: export RUSTFLAGS = $(REMAP)
target/%/release/visavis: $(PROGRAM_SOURCES)
	packaging/cross $*
	@touch $@

target/package/documents/visavis.8: web/dist/index.html $(shell find src/cli config packaging/documents -type f) Cargo.toml Cargo.lock
	rm -rf $(@D)
	$(CARGO) run --locked --quiet --example documents -- $(@D)

target/tools/bin/cargo-deb: # what is installed already, if it is of that version
	@mkdir -p $(@D)
	@packaging/need cargo "curl https://sh.rustup.rs -sSf | sh"
	[ "$$(cargo-deb --version 2>/dev/null)" = $(CARGO_DEB_VERSION) ] && ln -sf "$$(command -v cargo-deb)" $@ || $(CARGO) install --locked --quiet --root target/tools cargo-deb --version $(CARGO_DEB_VERSION)

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	cd web && $(NPM) --silent run build
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json
	@packaging/need node "apt-get install nodejs npm (Node 20 or newer)"
	@packaging/need $(NPM) "apt-get install npm"
	cd web && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

tests/node_modules/.installed: tests/package.json tests/package-lock.json
	cd tests && $(NPM) ci --silent --no-audit --no-fund
	@touch $@
