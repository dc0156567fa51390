#!/usr/bin/env bash
# Makes build/component.wasm of flow.py. See README.md for what it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PYTHON="${PYTHON:-python3}"
command -v "$PYTHON" >/dev/null || {
    echo "$PYTHON is not there: install Python 3.10 or newer, with venv" >&2
    exit 1
}
# The interface, and the tools: fetched once; delete the folders after an update of Jackfield.
[ -d wit ] || "${JACKFIELD:-jackfield}" plugin wit wit
[ -e venv/installed ] || {
    "$PYTHON" -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
    touch venv/installed
}
mkdir -p build
venv/bin/componentize-py --wit-path wit --world call-flow componentize flow --output build/component.wasm
