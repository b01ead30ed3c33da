# make demo    everything on this machine with a synthetic camera; prints the URL of a page that plays it
# make test    all tests (a machine with nothing but Go, git and make: missing packages are installed)
# make build   bin/venuecast
# make lint    golangci-lint
# make fuzz    every fuzz target for FUZZTIME (default 10s)
# make overload  a worker on one processor with feeds for three, until all is made again after the load has ended (4 minutes)
# make chaos   every fault of the chaos suite five times (50 minutes); prints a table and writes chaos.json
# make lint-live   lint watches /live and /dvr for LINT (default 10m) while worker, camera and origin fail in turn; a table
# make players PLAYERS="--only hls.js,ffmpeg"   players that nobody here wrote play a live feed, through faults; a table
# make bench   the standard ladder against the ffmpeg command line: cost and quality (BENCH adds flags, as BENCH="--file F --json")
# make load    the origin on processor 0, clients on 1: 2000 viewers, segments against nginx, hostile clients (4 minutes; docs/performance.md)
# make media   testdata made anew by the built ffmpeg
# make -s ffmpeg-path   the folder of the ffmpeg and ffprobe that venuecast is linked with
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
FUZZTIME ?= 10s

version := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

.PHONY: demo build edge test lint lint-live fuzz bench load chaos overload players media ffmpeg-path deps-build deps-test deps-load clean

demo: build
	@bin/venuecast demo

build: deps-build
	@scripts/build.sh "$(version)"

# The static edge binary: ingest and origin, no transcoding, no C.
edge:
	@CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$(version)" -o bin/venuecast-edge ./cmd/venuecast

test: deps-test
	@scripts/test.sh

lint: deps-build
	@scripts/lint.sh

fuzz: deps-build
	@scripts/fuzz.sh $(FUZZTIME)

overload: deps-build
	@source scripts/env.sh && OVERLOAD=full go test -count=1 -timeout 20m -v -run ThreefoldOverload ./cmd/venuecast

# CHAOS='-faults "worker killed" -times 1 -seed 42' runs less; see cmd/internal/chaos.
chaos: deps-build
	@source scripts/env.sh && go run ./cmd/internal/chaos $(CHAOS)

LINT = 10m
lint-live: deps-build
	@source scripts/env.sh && go run ./cmd/internal/chaos -lint $(LINT)

players: build deps-players
	@source scripts/env.sh && go run ./cmd/internal/players $(PLAYERS)

bench: build
	@source scripts/env.sh && bin/venuecast bench ladder --against ffmpeg $(BENCH)

load: build deps-load
	@taskset -c 1 bin/venuecast load --origin-cpu 0 --playlists-only
	@taskset -c 1 bin/venuecast load --origin-cpu 0
	@taskset -c 1 bin/venuecast load segments --origin-cpu 0
	@taskset -c 1 bin/venuecast load segments --origin-cpu 0 --bitrate 2000000
	@taskset -c 1 bin/venuecast load hostile --origin-cpu 0

media: deps-build
	@source scripts/env.sh && testdata/generate.sh

ffmpeg-path: deps-build
	@source scripts/env.sh && echo "$$VENUECAST_FFMPEG"

deps-build:
	@scripts/deps.sh build

deps-test:
	@scripts/deps.sh test

deps-players:
	@scripts/deps.sh players

deps-load:
	@scripts/deps.sh load

clean:
	@rm -rf bin data
