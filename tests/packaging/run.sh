#!/usr/bin/env bash
# Installs what `make wheel` has made as a user would, in fresh environments outside the source tree.
# usage: run.sh VENV DIST install|suite [pytest arguments]
#   VENV     whose Python the environments are made with
#   DIST     folder of one wheel and one source distribution
#   install  wheel, sdist, sdist without a compiler, KRAKENWIRE_PURE=1: each installs, and its books verify
#   suite    the wheel passes the tests that the sdist carries, with no module of ours beside them
set -euo pipefail

python=$(cd "$1" && pwd)/bin/python
wheel=$(cd "$2" && ls "$PWD"/krakenwire-*.whl)
sdist=$(cd "$2" && ls "$PWD"/krakenwire-*.tar.gz)
step=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
constraints=$(cd "$here/../.." && pwd)/constraints.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_CONSTRAINT=$constraints PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1
unset KRAKENWIRE_PURE PYTHONPATH
cd "$work"

# A fresh environment with what is named installed in it.
environment() {
    "$python" -m venv "$work/$1"
    "$work/$1/bin/python" -m pip install "${@:2}"
}

check() { "$work/$1/bin/python" "$here/smoke.py" "$2"; }

install() {
    case $(basename "$wheel") in
        *-none-any.whl) echo "the wheel has no compiled twins: $wheel" >&2; exit 1 ;;
    esac
    environment wheel "$wheel"
    check wheel native
    KRAKENWIRE_PURE=1 check wheel "pure: KRAKENWIRE_PURE"
    # Twice the same source: pip must not give back the first one's wheel.
    environment source --no-cache-dir "$sdist"
    check source native
    CC=/bin/false environment no-compiler --no-cache-dir "$sdist"
    check no-compiler "pure: not built"
    KRAKENWIRE_PURE=1 "$python" -m pip wheel --no-deps --no-cache-dir --wheel-dir "$work/pure" "$sdist"
    environment pure "$work"/pure/krakenwire-*-py3-none-any.whl
    check pure "pure: not built"
}

suite() {
    environment suite "$wheel[dev]"
    tar -xzf "$sdist"
    cd krakenwire-*/
    rm setup.py
    find src -type f ! -name '*.h' -delete # some tests are C programs around the headers
    check suite native
    KRAKENWIRE_SHARED="${KRAKENWIRE_SHARED:-$here/../../../shared}" PYTHONDONTWRITEBYTECODE=1 \
        "$work/suite/bin/python" -m pytest -q -p no:cacheprovider "$@"
}

"$step" "$@"
