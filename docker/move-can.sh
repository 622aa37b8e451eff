#!/bin/sh
# Moves CAN interfaces of the host into a running container, sets their bit rate, brings them up.
# As root, after each start of the container: they fall back to the host when it ends.
#   docker/move-can.sh CONTAINER NAME:BITRATE [NAME:BITRATE ...]
#   docker/move-can.sh gridzero-gridzero-inside-1 canbms1:500000 canbms2:500000 canpsu:125000
set -eu
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0"; exit 2; }
container=$1
shift
pid=$(docker inspect --format '{{.State.Pid}}' "$container")
[ "$pid" -gt 0 ] || { echo "$container does not run"; exit 1; }
inside() { nsenter --target "$pid" --net "$@"; }
for one in "$@"; do
    name=${one%%:*} bitrate=${one##*:}
    if [ -e "/sys/class/net/$name" ]; then
        ip link set "$name" down
        ip link set "$name" netns "$pid"
    fi
    inside ip link set "$name" down
    # restart-ms: without it an interface stays dead after bus-off
    inside ip link set "$name" type can bitrate "$bitrate" restart-ms 100
    # a short queue: old set-points must not wait in it
    inside ip link set "$name" txqueuelen 64
    inside ip link set "$name" up
    echo "$name: $bitrate bit/s in $container"
done
