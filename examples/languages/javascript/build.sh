#!/usr/bin/env bash
# Makes build/component.wasm of flow.js. See README.md for what it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

command -v npm >/dev/null || {
    echo "npm is not there: Node.js (20 or newer) brings it along" >&2
    exit 1
}
# The interface, and the tools: fetched once; delete the folders after an update of Jackfield.
[ -d wit ] || "${JACKFIELD:-jackfield}" plugin wit wit
[ -d node_modules ] || npm install --no-save --no-audit --no-fund
node build.mjs
