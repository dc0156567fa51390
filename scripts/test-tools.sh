# shellcheck shell=bash
# What the full tests need besides Rust, and how to come by it. Sourced after setup-lib.sh.

TEST_VENV="$ROOT/var/test-venv"
PYTHON_REQUIREMENTS="$ROOT/tests/interop/python/requirements.txt"
TEST_NODE="$ROOT/var/test-node"
NODE_LOCK="$ROOT/tests/interop/node/package-lock.json"

# One line a need: the Debian package, and a command that succeeds where it is not needed any more.
test_needs() {
    cat <<'NEEDS'
kamailio|command -v kamailio
dnsmasq-base|PATH="$PATH:/usr/sbin:/sbin" command -v dnsmasq
sip-tester|command -v sipp
baresip-core|command -v baresip
espeak-ng|command -v espeak-ng
lame|command -v lame
lighttpd|PATH="$PATH:/usr/sbin:/sbin" command -v lighttpd
pocketsphinx|command -v pocketsphinx_continuous
pocketsphinx-en-us|test -f /usr/share/pocketsphinx/model/en-us/en-us.lm.bin
iproute2|PATH="$PATH:/usr/sbin:/sbin" command -v ip
nftables|PATH="$PATH:/usr/sbin:/sbin" command -v nft
python3|command -v python3
python3-venv|python3 -c 'import ensurepip, venv'
npm|command -v npm && command -v node
NEEDS
}

# Of the needs that $1 lists, the packages that are not there.
missing_packages() {
    local package present
    while IFS='|' read -r package present; do
        eval "$present" >/dev/null 2>&1 </dev/null || echo "$package"
    done < <("$1") | paste -s -d ' ' -
}

# Installs what is missing of the needs that $1 lists where it may (root on a Debian-like system); otherwise fails naming the
# packages, and $2: what does without them.
ensure_packages() {
    local missing
    missing="$(missing_packages "$1")"
    if [ -n "$missing" ]; then
        if have apt-get && [ "$(id -u)" = 0 ]; then
            say "Installing with apt-get: $missing"
            apt_install "$missing"
            missing="$(missing_packages "$1")"
        fi
        [ -z "$missing" ] || fail "these tests need programs that are not installed" \
            "Debian's packages of them: $missing" \
            "Install them (apt-get install $missing), or run this as root on a Debian-like system, which installs them," \
            "or run $2."
    fi
}

ensure_test_tools() {
    ensure_packages test_needs "./test --quick, which needs nothing but Rust"
    note "SIPp: $(sipp -v 2>/dev/null | sed -n 's/^ *SIPp \(v[0-9.]*\).*/\1/p')   baresip: $(baresip -h 2>&1 | sed -n 's/^baresip \(v[0-9.]*\).*/\1/p')   $(python3 --version)"
}

apt_install() {
    local packages=()
    read -ra packages <<<"$1"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet --quiet </dev/null || note "apt-get update failed; trying with the lists that are there"
    apt-get install --yes --quiet --quiet --no-install-recommends "${packages[@]}" </dev/null >/dev/null ||
        note "apt-get could not install them all"
}

# The Python packages of the tests at exact versions, in a virtual environment of its own.
ensure_python_packages() {
    if cmp --silent "$PYTHON_REQUIREMENTS" "$TEST_VENV/installed.txt"; then
        note "Python packages: present"
        return
    fi
    say "Installing Python packages into var/test-venv"
    rm -rf "$TEST_VENV"
    python3 -m venv "$TEST_VENV"
    "$TEST_VENV/bin/pip" install --quiet --disable-pip-version-check --requirement "$PYTHON_REQUIREMENTS" </dev/null ||
        fail "pip could not install the Python packages of $PYTHON_REQUIREMENTS" "Is a package index reachable?"
    cp "$PYTHON_REQUIREMENTS" "$TEST_VENV/installed.txt"
}

# The Node packages of the tests: what the lock file names, with its hashes.
ensure_node_packages() {
    if cmp --silent "$NODE_LOCK" "$TEST_NODE/installed.json"; then
        note "Node packages: present"
        return
    fi
    say "Installing Node packages into var/test-node"
    rm -rf "$TEST_NODE"
    mkdir -p "$TEST_NODE"
    cp "$(dirname "$NODE_LOCK")"/package*.json "$TEST_NODE/"
    (cd "$TEST_NODE" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) </dev/null ||
        fail "npm could not install the Node packages of $NODE_LOCK" "Is a package registry reachable?"
    cp "$NODE_LOCK" "$TEST_NODE/installed.json"
}

# SIPp sends its recordings through a raw socket, which root may open, in a container too. Anybody else gets a user and network
# namespace where they are root; the peers talk over its loopback. Sets PRIVILEGED to the command to run the tests under.
ensure_raw_sockets() {
    local probe='import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)'
    PRIVILEGED=()
    python3 -c "$probe" 2>/dev/null && return
    PRIVILEGED=(unshare --user --map-root-user --net sh -c 'ip link set lo up && exec "$@"' sh)
    "${PRIVILEGED[@]}" python3 -c "$probe" 2>/dev/null && return
    fail "SIPp needs a raw socket to send its recordings, and neither this user nor a namespace of their own may open one" \
        "Run this as root, for instance in a container, or allow unprivileged user namespaces (and install iproute2)," \
        "or run ./test --quick."
}
