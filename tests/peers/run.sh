#!/usr/bin/env bash
# Other people's Kraken clients, unchanged but for the address, against the local Kraken.
# usage: run.sh VENV PEERVENV [pytest arguments]
#   VENV      where krakenwire is installed
#   PEERVENV  made here for the clients; made anew when requirements.txt changes
set -euo pipefail

venv=$(cd "$1" && pwd)
mkdir -p "$2"
peers=$(cd "$2" && pwd)
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if ! cmp -s "$here/requirements.txt" "$peers/.installed"; then
    "$venv/bin/python" -m venv --clear "$peers"
    "$peers/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$peers/.installed"
fi

work=$(mktemp -d)
venue=
finish() {
    if [ -n "$venue" ]; then
        kill "$venue" 2>/dev/null || true
        wait "$venue" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

# One account for all of them: no limits, and nonces in whatever unit each client counts.
cat >"$work/venue.toml" <<'TOML'
[[accounts]]
name = "peers"
balances = { USD = 1000000, BTC = 50, ETH = 500 }
limits = false
keys = [{ nonce_window = 18446744073709551615 }]
TOML

"$venv/bin/krakenwire" venue --json --port 0 --seed 7 --rate 40 --config "$work/venue.toml" >"$work/addresses" &
venue=$!
for _ in $(seq 300); do
    [ -s "$work/addresses" ] && break
    kill -0 "$venue" 2>/dev/null || { echo "the local Kraken did not start" >&2; exit 1; }
    sleep 0.1
done
[ -s "$work/addresses" ] || { echo "the local Kraken was not ready in 30 s" >&2; exit 1; }

KRAKENWIRE_PEERS_VENUE=$(cat "$work/addresses") timeout 300 \
    "$peers/bin/python" -m pytest -c "$here/peers.ini" --rootdir "$here" --confcutdir "$here" "$here" "$@"
