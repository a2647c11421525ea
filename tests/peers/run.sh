#!/usr/bin/env bash
# Other people's Kraken clients, unchanged but for the address, against the local Kraken: those of Python, and those of
# JavaScript where Node is.
# usage: run.sh VENV PEERVENV [pytest arguments]
#   VENV      where krakenwire and trustme are installed
#   PEERVENV  made here for the clients; made anew when requirements.txt or js/package-lock.json changes
set -euo pipefail

venv=$(cd "$1" && pwd)
mkdir -p "$2"
peers=$(cd "$2" && pwd)
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if ! cmp -s "$here/requirements.txt" "$peers/.installed"; then
    "$venv/bin/python" -m venv --clear "$peers"
    "$peers/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$peers/.installed"
fi

work=$(mktemp -d)
venues=
finish() {
    for venue in $venues; do
        kill "$venue" 2>/dev/null || true
        wait "$venue" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

# serve NAME [arguments]: a local Kraken that leaves its addresses in $work/NAME
serve() {
    local name=$1
    shift
    "$venv/bin/krakenwire" venue --json --port 0 --seed 7 --rate 40 --config "$work/venue.toml" "$@" >"$work/$name" &
    local venue=$!
    venues="$venues $venue"
    for _ in $(seq 300); do
        [ -s "$work/$name" ] && return
        kill -0 "$venue" 2>/dev/null || { echo "the local Kraken did not start" >&2; exit 1; }
        sleep 0.1
    done
    echo "the local Kraken was not ready in 30 s" >&2
    exit 1
}

# No limits, and nonces in whatever unit each client counts. The clients of Python share the first account; those of
# JavaScript have one each.
cat >"$work/venue.toml" <<'TOML'
[[accounts]]
name = "peers"
balances = { USD = 1000000, BTC = 50, ETH = 500 }
limits = false
keys = [{ nonce_window = 18446744073709551615 }]
TOML
for name in ccxt docs kraken-api node-kraken-api; do
    cat >>"$work/venue.toml" <<TOML

[[accounts]]
name = "$name"
balances = { USD = 1000000, BTC = 50 }
limits = false
keys = [{ key = "$name", secret = "a3Jha2Vud2lyZQ==", nonce_window = 18446744073709551615 }]
TOML
done

serve addresses
# Some clients have the hosts of Kraken as constants and speak TLS only: a second venue has their names, each host on a
# port of its own.
"$venv/bin/python" -m trustme --quiet --dir "$work" --identities {api,ws,ws-auth,ws-l3}.kraken.com
serve hosts --strict-hosts --control 0 --tls-cert "$work/server.pem" --tls-key "$work/server.key"
KRAKENWIRE_PEERS_VENUE=$(cat "$work/addresses")
KRAKENWIRE_HOSTS=$(cat "$work/hosts")
export KRAKENWIRE_PEERS_VENUE KRAKENWIRE_HOSTS KRAKENWIRE_PEERS_CA="$work/client.pem"
timeout 300 "$peers/bin/python" -m pytest -c "$here/peers.ini" --rootdir "$here" --confcutdir "$here" "$here" "$@"

if ! command -v npm >/dev/null || ! node -e 'process.exit(require("zlib").crc32 ? 0 : 1)' 2>/dev/null; then
    echo "left out: the clients of JavaScript; node (20.15 or later) and npm are not here"
    exit 0
fi

mkdir -p "$peers/js"
rm -f "$peers/js/"*.{cjs,mjs}
cp "$here/js/"*.{cjs,mjs} "$here/js/package.json" "$here/js/.npmrc" "$here/../../docs/howto/other-clients.md" "$peers/js"
cd "$peers/js"
if ! cmp -s "$here/js/package-lock.json" .installed; then
    cp "$here/js/package-lock.json" .
    if ! timeout 300 npm ci --silent --no-audit --no-fund --ignore-scripts --omit=optional; then
        echo "left out: the clients of JavaScript; npm could not fetch them"
        exit 0
    fi
    cp package-lock.json .installed
fi

NODE_EXTRA_CA_CERTS="$KRAKENWIRE_PEERS_CA" NODE_OPTIONS="--no-deprecation --require=$peers/js/hosts.cjs" \
    timeout 300 node --test --test-reporter=spec
