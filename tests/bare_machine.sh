#!/bin/bash
# From a clean clone on a bare Debian machine, `./dev demo` and `./dev test` each work as the only command typed.
#
# usage: tests/bare_machine.sh RELEASE [COMMAND...]
#     RELEASE   bookworm (Debian 12) or trixie (13)
#     COMMAND   demo, test (default: both, each on a machine of its own); package: what it builds is then in
#               RELEASE.packages of the folder below; baseline: instruction counts of that release's g++, which go into
#               this tree's bench/instructions.json
#
# A machine is a debootstrap folder of the smallest variant, entered by chroot in mount and process namespaces of its
# own. What is committed is cloned into it. Nothing of this machine is changed; what it cost to download is kept in
# $FTPSENSOR_BARE (/tmp/ftpsensor-bare): the second run takes minutes less. Needs root and debootstrap. Exit status 0
# when every command succeeded, 77 when the needs are not met.
set -euo pipefail

readonly release=${1:?usage: tests/bare_machine.sh bookworm|trixie [demo|test]...}
shift
commands=("$@")
((${#commands[@]} > 0)) || commands=(demo test)
readonly cache=${FTPSENSOR_BARE:-/tmp/ftpsensor-bare}
repository=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
readonly repository

say() { printf '%s\n' "bare_machine: $*" >&2; }
skip() {
    say "skipped: $*"
    exit 77
}

# run_on_new_machine COMMAND: a new machine with the clone in /root/ftpsensor; `./dev COMMAND` there.
run_on_new_machine() {
    local root=$cache/$release.$1.root status=0
    rm -rf --one-file-system "$root"
    mkdir -p "$root" "$cache/$release.debs"
    tar -C "$root" -xf "$cache/$release.tar"
    git clone -q "$repository" "$root/root/ftpsensor"
    cp -n "$cache/$release.debs"/*.deb "$root/var/cache/apt/archives/" 2>/dev/null || true
    # The kernel ends every process of the namespace with its first one, and its mounts with it.
    # shellcheck disable=SC2016 # the inner shell's own arguments
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        root=$1 command=$2
        mount --bind "$root" "$root" # so that the root is a mount: `ip netns exec` changes how it propagates
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/run"
        exec chroot "$root" env -i HOME=/root TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            /root/ftpsensor/dev $command' bare "$root" "${1/baseline/bench --baseline}" </dev/null || status=$?
    if [[ $1 == package ]]; then
        rm -rf "$cache/$release.packages" && mkdir "$cache/$release.packages"
        cp "$root"/root/ftpsensor/build-package/*.deb "$cache/$release.packages/" || status=1
    fi
    if [[ $1 == baseline ]]; then
        cp "$root/root/ftpsensor/bench/instructions.json" "$repository/bench/" || status=1
    fi
    cp -n "$root"/var/cache/apt/archives/*.deb "$cache/$release.debs/" 2>/dev/null || true
    rm -rf --one-file-system "$root"
    return "$status"
}

[[ $EUID -eq 0 ]] || skip "it needs root"
command -v debootstrap >/dev/null || skip "it needs debootstrap"
"$repository/tests/bare_root.sh" "$release" >/dev/null
failures=0
for command in "${commands[@]}"; do
    say "$release: ./dev $command, on a machine of its own"
    if run_on_new_machine "$command"; then
        say "$release: ./dev $command succeeded"
    else
        say "$release: ./dev $command failed"
        failures=$((failures + 1))
    fi
done
exit $((failures > 0))
