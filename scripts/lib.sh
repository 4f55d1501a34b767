# Shared by the scripts of this directory; sourced, never run. It brings a fresh Debian or Ubuntu to the point where the
# project builds: only a Swift toolchain has to be there.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# What each step needs, by Debian's names.
build_packages=(libpq-dev libssl-dev libargon2-dev zlib1g-dev pkg-config git ca-certificates)
test_packages=(python3 python3-venv)
# What the first steps need that scripts/run prints.
example_packages=(curl python3-venv)

# Ends with one sentence unless a Swift 6.2 toolchain or newer is there.
need_swift() {
    command -v swift >/dev/null 2>&1 ||
        die "Flux needs a Swift toolchain, 6.2 or newer: install it from https://www.swift.org/install and run this again."
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    case $version in
        6.[01] | [0-5].*) die "Flux needs Swift 6.2 or newer; this is Swift $version (https://www.swift.org/install)." ;;
    esac
}

has_package() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

has_postgres() {
    command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages NAME...: installs what is missing of them, and Postgres, with as little as possible done to the machine.
need_packages() {
    local missing=() name
    if ! command -v apt-get >/dev/null 2>&1; then
        { has_postgres && pkg-config --exists libpq 'openssl >= 3' libargon2 zlib; } 2>/dev/null ||
            die "Install by hand, this is no Debian or Ubuntu: PostgreSQL, pkg-config, and the headers of libpq, OpenSSL 3, libargon2 and zlib."
        return 0
    fi
    for name in "$@"; do has_package "$name" || missing+=("$name"); done
    has_postgres || missing+=(postgresql)
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
        die "These packages are missing and installing them needs root: run 'apt-get install ${missing[*]}' as root, then this again."
    fi
    say "Installing: ${missing[*]}"
    if [ "$(id -u)" != 0 ] && ! sudo -v; then
        die "These packages are missing and sudo was refused: run 'apt-get install ${missing[*]}' as root, then this again."
    fi
    if ! has_postgres; then
        # The node starts a Postgres of its own; Debian shall not make and start one for the whole machine.
        as_root mkdir -p /etc/postgresql-common/createcluster.d
        printf 'create_main_cluster = false\n' |
            as_root tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null
    fi
    as_root apt-get update -qq >&2 || say "apt-get update failed; going on with the package lists that are here."
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
        die "apt-get could not install: ${missing[*]}"
}

# get HOST:PORT PATH: status line and body of a plain HTTP GET, without curl.
get() {
    local host=${1%:*} port=${1##*:}
    host=${host#[}; host=${host%]}
    [ "$host" = 0.0.0.0 ] && host=127.0.0.1
    (
        exec 3<>"/dev/tcp/$host/$port" || exit 1
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
        cat <&3
    ) 2>/dev/null
}

# is_ready ADMIN: whether the node behind an admin address serves.
is_ready() { get "$1" /readyz | head -n 1 | grep -q ' 200 '; }

# field FILE NAME: a string member of the small JSON object that a running node keeps in its data directory.
field() { sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p" "$1"; }

# wait_until_ready PID DATA_DIR: returns when the node answers; fails when the process is gone.
wait_until_ready() {
    local admin
    while kill -0 "$1" 2>/dev/null; do
        if [ -s "$2/node.json" ]; then
            admin=$(field "$2/node.json" admin)
            if [ -n "$admin" ] && is_ready "$admin"; then return 0; fi
        fi
        sleep 0.2
    done
    return 1
}
