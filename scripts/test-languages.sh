# shellcheck shell=bash
# The flow of examples/languages in each language. Sourced after test-tools.sh.

WIT_BINDGEN_VERSION=0.63.0
LANGUAGE_TOOLS="$ROOT/var/languages"

# As test_needs.
language_needs() {
    cat <<'NEEDS'
clang-19|command -v clang-19
lld-19|command -v wasm-ld-19
wasi-libc|[ -e /usr/lib/wasm32-wasi/crt1-reactor.o ]
libclang-rt-19-dev-wasm32|ls /usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a
npm|command -v npm
python3|command -v python3
python3-venv|python3 -c 'import ensurepip, venv'
NEEDS
}

# The toolchains, at exact versions, in folders of their own.
ensure_language_tools() {
    ensure_packages language_needs "./test, which leaves other languages than Rust out"
    export CLANG=clang-19 WIT_BINDGEN="$LANGUAGE_TOOLS/bin/wit-bindgen"
    if [ "$("$WIT_BINDGEN" --version 2>/dev/null)" != "wit-bindgen-cli $WIT_BINDGEN_VERSION" ]; then
        say "Building wit-bindgen $WIT_BINDGEN_VERSION"
        cargo install --quiet --locked --root "$LANGUAGE_TOOLS" --target-dir "$LANGUAGE_TOOLS/target" \
            --no-default-features --features c "wit-bindgen-cli@$WIT_BINDGEN_VERSION" </dev/null
    fi
}

# The same callers for each of them.
test_languages() {
    local language
    for language in c javascript python; do
        say "The menu in $language"
        "$JACKFIELD" plugin test --folder "$ROOT/examples/languages/$language" </dev/null
    done
}
