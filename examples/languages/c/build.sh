#!/usr/bin/env bash
# Makes build/component.wasm of flow.c. See README.md for what it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

CLANG="${CLANG:-clang}"
WIT_BINDGEN="${WIT_BINDGEN:-wit-bindgen}"
# Rust's target wasm32-wasip2 brings this linker along.
LINKER="${WASM_COMPONENT_LD:-$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/wasm-component-ld}"

for tool in "$CLANG" "$WIT_BINDGEN" "$LINKER"; do
    command -v "$tool" >/dev/null || {
        echo "$tool is not there: README.md says where it comes from; CLANG, WIT_BINDGEN and WASM_COMPONENT_LD name others" >&2
        exit 1
    }
done

# The interface, and the C for it: made once; delete the folders after an update of Jackfield.
[ -d wit ] || "${JACKFIELD:-jackfield}" plugin wit wit
mkdir -p build
[ -d build/bindings ] || "$WIT_BINDGEN" c wit --world call-flow --out-dir build/bindings

"$CLANG" --target=wasm32-wasi -mexec-model=reactor -std=c17 -Os -Wall -Wextra -Ibuild/bindings \
    flow.c build/bindings/call_flow.c build/bindings/call_flow_component_type.o \
    -fuse-ld="$LINKER" -Wl,--gc-sections -Wl,--strip-all -o build/component.wasm
