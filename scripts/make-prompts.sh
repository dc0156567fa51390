#!/usr/bin/env bash
# Makes the prompts of examples/first-call anew: spoken by Flite (voice slt), 8 kHz mono 16-bit, trimmed, peak -3 dBFS.
# Needs npm, Node 18 or later, and sox. The same Flite and sox give the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/setup-lib.sh
source scripts/setup-lib.sh

PROMPTS="$ROOT/examples/first-call/media/prompts"
VOICE=slt

for tool in node sox; do have "$tool" || fail "$tool is not installed" "On Debian and Ubuntu: apt-get install nodejs sox"; done
fetch_flite || fail "the prompts cannot be made without Flite"
mkdir -p "$PROMPTS"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# prompt NAME TEXT [FOLDER]
prompt() {
    (cd "$work" && node --no-warnings "$ROOT/scripts/flite.mjs" "$FLITE_WASM" -voice "$VOICE" -t "$2" -o spoken.wav)
    # Silence goes from both ends and comes back as 60 ms before and 140 ms after; the level is set last.
    sox -R -G "$work/spoken.wav" --bits 16 --channels 1 --encoding signed-integer "${3:-$PROMPTS}/$1.wav" \
        silence 1 0.01 0.4% reverse silence 1 0.01 0.4% reverse pad 0.06 0.14 rate -v 8000 norm -3
    note "$1.wav: $2"
}

say "Making prompts in $PROMPTS"
prompt welcome "Welcome to Jackfield."
prompt menu "Welcome to Jackfield. For sales, press one. For support, press two."
prompt sales "You pressed one. This is sales. Thank you for calling."
prompt support "You pressed two. This is support. Thank you for calling."
prompt goodbye "Thank you for calling. Goodbye."
prompt echo "Speak, and hear yourself. Press the hash key to end."
# Part of the binary: what a caller hears when a flow fails.
prompt apology "We are sorry. An application error has occurred. Goodbye." "$ROOT/runtime/server/prompts"
