#!/usr/bin/env bash
# Everything that must hold before a change lands, from a clean clone, with no input.
# Formatting, lints, tests against real servers, doc tests, docs, the rule of dependencies, each feature alone, the fuzz
# targets, the comparison with other libraries, the benchmarks once.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}" RUSTDOCFLAGS="-D warnings" CARGO_INCREMENTAL=0
# Build artefacts go to a cache outside the clone, so that the next clone starts warm.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/career/target}"

step() { printf '\n== %s\n' "$*"; }
need() { # command, crate that installs it
  command -v "$1" >/dev/null 2>&1 || { step "installing $2"; cargo install --locked "$2"; }
}

command -v cargo >/dev/null 2>&1 || { echo "error: cargo is missing; install Rust 1.95 or newer" >&2; exit 1; }
missing=""
command -v c++ >/dev/null 2>&1 || missing="$missing build-essential"
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 || { echo "error: please install what Debian calls:$missing" >&2; exit 1; }
  step "installing$missing"
  # shellcheck disable=SC2086
  apt-get update -qq && apt-get install -y -qq $missing
fi
for component in rustfmt clippy; do
  cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || { step "installing $component"; rustup component add "$component"; }
done
need cargo-nextest cargo-nextest
if [ -n "${CAREER_DATA:-}" ]; then echo "data sets: $CAREER_DATA"; else
  echo "CAREER_DATA is not set: the catalogue is not compared with O*NET and ISCO"
fi

# Servers that tests need: those that the environment names, else ones that are started here and stopped at the end.
servers=$(mktemp -d "${TMPDIR:-/tmp}/career-servers.XXXXXX")
# shellcheck disable=SC2064
trap "'$PWD/.ci/servers' stop '$servers' || true; rm -rf '$servers'" EXIT
step "servers: PostgreSQL with pgvector, Redis, S3"
.ci/servers start "$servers"
# shellcheck disable=SC1091
. "$servers/env"

step "formatting"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

step "examples, which some tests run as a newcomer would"
cargo build --package career-examples --examples --locked

step "tests"
cargo nextest run --workspace --all-features --locked

step "doc tests, the README's example among them"
cargo test --workspace --all-features --locked --doc

step "docs"
cargo doc --workspace --all-features --no-deps --locked

step "rule of dependencies: career-core knows nobody, the others know career-core alone"
for crate in career-core career-llm career-store career-recommend; do
  known=$(cargo tree --locked --package "$crate" --all-features --edges normal,build,dev --depth 1 --prefix none --format '{p}' |
    tail -n +2 | grep -oE '^career-[a-z]+' | sort -u | tr '\n' ' ' || true)
  case "$crate:$known" in
    career-core: | career-*:"career-core ") echo "$crate -> ${known:-nobody}" ;;
    *) echo "error: $crate depends on: $known" >&2; exit 1 ;;
  esac
done
for banned in sqlx reqwest tokio axum; do
  if cargo tree --locked --package career-core --all-features --edges normal --prefix none | grep -q "^$banned "; then
    echo "error: career-core depends on $banned" >&2; exit 1
  fi
done

step "each feature alone"
cargo metadata --no-deps --format-version 1 --locked |
  python3 -c 'import json, sys
for p in json.load(sys.stdin)["packages"]:
    print(p["name"], "")
    for f in sorted(p["features"]):
        if f != "default": print(p["name"], f)' |
  while read -r package feature; do
    echo "$package --no-default-features ${feature:+--features $feature}"
    cargo check --quiet --locked --package "$package" --no-default-features ${feature:+--features "$feature"}
  done

step "fuzz targets compile"
for crate in career-core career-llm career-recommend career-store; do
  cargo check --quiet --locked --manifest-path "$crate/fuzz/Cargo.toml"
done

step "the comparison with other libraries compiles"
cargo check --quiet --locked --manifest-path benches/peers/Cargo.toml

step "benchmarks run"
cargo bench --package career-benches --bench scoring --locked -- --test "1000" >/dev/null
cargo bench --package career-benches --bench llm --locked -- --test >/dev/null
CAREER_BENCH_ROWS=1000 cargo bench --package career-benches --bench store --locked -- --test >/dev/null

step "all is well"
