#!/usr/bin/env bash
# Builds the image without a Docker daemon and without a registry: buildah, on a base that is made
# here from Debian's packages. For a real house use `docker build`, see docs/docker.md.
#   docker/image.sh            LOCK=base or full; TAG; BASE=an image of your own instead
set -euo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache/image
lock=${LOCK:-base}
tag=${TAG:-localhost/gridzero:$lock}
store=(--root "$cache/ctr/root" --runroot "$cache/ctr/run" --storage-driver "${STORAGE:-overlay}")

for tool in buildah podman debootstrap; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (apt-get install buildah podman debootstrap runc)"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: debootstrap needs root"; exit 0; }

make_base() {
    local mirror root=$cache/rootfs
    # the mirror that this machine itself uses
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -v snapshot | head -1 | tr -d ' ') || true
    rm -rf "$root"
    debootstrap --variant=minbase --include=python3-venv,ca-certificates \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" ${mirror:+"$mirror"} >"$cache/debootstrap.log"
    (cd "$root" && rm -rf var/cache/apt/* var/lib/apt/lists/* usr/share/{doc,man,locale,info,i18n} var/log/*)
    tar -C "$root" -c . | podman "${store[@]}" import - localhost/gridzero-base:test >/dev/null
    rm -rf "$root"
}

mkdir -p "$cache"
base=${BASE:-localhost/gridzero-base:test}
if [ -z "${BASE:-}" ] && ! podman "${store[@]}" image exists "$base"; then
    make_base
fi
# what pip of this machine needs to reach its packages; nothing of it stays in the image
pip=()
for file in /etc/ssl/certs /etc/pip.conf; do [ -e "$file" ] && pip+=(-v "$file:$file:ro"); done
for place in ${PIP_FIND_LINKS:-}; do [ -d "$place" ] && pip+=(-v "$place:$place:ro"); done
buildah "${store[@]}" bud --isolation chroot --format docker --ignorefile .dockerignore "${pip[@]}" \
    --build-arg BASE="$base" --build-arg LOCK="$lock" -f docker/Dockerfile -t "$tag" .
podman "${store[@]}" image inspect --format "$tag: {{.Size}} bytes" "$tag"
