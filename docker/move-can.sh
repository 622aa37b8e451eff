#!/bin/sh
# Moves CAN interfaces of the host into a running container, sets their bit rate, brings them up.
# As root. They fall back to the host, down, whenever the container ends: with --stay this goes on,
# and moves them again after each start, also an adapter that is plugged in later (docs/docker.md).
#   docker/move-can.sh [--stay] CONTAINER NAME:BITRATE [NAME:BITRATE ...]
#   docker/move-can.sh gridzero-gridzero-inside-1 canbms1:500000 canbms2:500000 canpsu:125000
set -u
usage() { sed -n '2,6s/^# //p' "$0"; exit 2; }
stays=
if [ "${1-}" = --stay ]; then stays=yes; shift; fi
[ $# -ge 2 ] || usage
container=$1
shift
for one in "$@"; do
    case $one in :* | *: | *:*[!0-9]*) usage ;; *:*) ;; *) usage ;; esac
done

inside() { nsenter --target "$pid" --net "$@"; }

# The process of the container; says why there is none with a network of its own.
look() {
    pid=$(docker inspect --format '{{.State.Pid}}' "$container" 2>&1) || { echo "$pid"; return 1; }
    [ "$pid" -gt 0 ] 2>/dev/null || { echo "$container does not run"; return 1; }
    [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] ||
        { echo "$container has the network of the host: there is nothing to move"; return 1; }
}

is_up() { [ -n "$(inside ip link show "$1" up 2>/dev/null)" ]; }

# restart-ms: without it a controller stays dead after bus-off; adapters that know no bus-off refuse
# it. A short queue: old set-points must not wait in it.
move() {
    if [ -e "/sys/class/net/$1" ]; then
        ip link set "$1" down && ip link set "$1" netns "$pid" || return
    fi
    inside ip link set "$1" down &&
        { inside ip link set "$1" type can bitrate "$2" restart-ms 100 2>/dev/null ||
            inside ip link set "$1" type can bitrate "$2"; } &&
        inside ip link set "$1" txqueuelen 64 &&
        inside ip link set "$1" up &&
        echo "$1: $2 bit/s in $container"
}

# One that cannot be moved does not keep the others from it.
move_all() {
    failed=0
    for one in "$@"; do
        if [ -n "$stays" ] && is_up "${one%%:*}"; then continue; fi
        why=$(move "${one%%:*}" "${one##*:}" 2>&1) || { failed=1; why="${one%%:*}: not moved: $why"; }
        echo "$why"
    done
    return "$failed"
}

if [ -z "$stays" ]; then
    look || exit 1
    move_all "$@"
    exit
fi
before=
while :; do
    # what cannot be done is said once, not every 2 s
    if said=$(look && move_all "$@"); then before=; fi
    [ -z "$said" ] || [ "$said" = "$before" ] || echo "$said"
    before=$said
    sleep 2
done
