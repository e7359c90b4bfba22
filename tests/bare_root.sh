#!/bin/bash
# Makes a bare Debian as an archive, once, and prints its path: the smallest variant of debootstrap, and how this machine
# reaches its mirror. Needs root and debootstrap.
#
# usage: tests/bare_root.sh RELEASE
#     RELEASE   bookworm (Debian 12) or trixie (13)
#
# It is kept in $FTPSENSOR_BARE (/tmp/ftpsensor-bare).
set -euo pipefail

readonly release=${1:?usage: tests/bare_root.sh bookworm|trixie}
readonly cache=${FTPSENSOR_BARE:-/tmp/ftpsensor-bare}
readonly mirror=${FTPSENSOR_MIRROR:-http://deb.debian.org/debian}

if [[ ! -f $cache/$release.tar ]]; then
    echo "bare_root: making a bare $release" >&2
    root=$cache/$release.new
    rm -rf --one-file-system "$root"
    mkdir -p "$cache"
    debootstrap --variant=minbase "$release" "$root" "$mirror" >&2
    # How this machine reaches its mirror (a proxy, a clock that is off) holds for the bare one as well.
    cat /etc/apt/apt.conf.d/99* >"$root/etc/apt/apt.conf.d/99host" 2>/dev/null || true
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/99fast" # no fsync a file: this machine is thrown away
    tar -C "$root" -cf "$cache/$release.tar.part" .
    mv "$cache/$release.tar.part" "$cache/$release.tar"
    rm -rf --one-file-system "$root"
fi
echo "$cache/$release.tar"
