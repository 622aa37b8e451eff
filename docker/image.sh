#!/usr/bin/env bash
# Builds the image without a Docker daemon and without a registry: buildah, on a base that is made
# here from Debian's packages. For a real house use `docker build`, see docs/docker.md.
#   docker/image.sh [--tools]  --tools: only installs what it needs
#                              LOCK=base or full; ARCH=amd64 or arm64; TAG; BASE=an image of your own
# As root on Debian, where it installs what it needs; elsewhere it says why it does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache/image
lock=${LOCK:-base}
native=$(dpkg --print-architecture 2>/dev/null || uname -m)
arch=${ARCH:-$native}
suffix=$([ "$arch" = "$native" ] || echo "-$arch")
tag=${TAG:-localhost/gridzero:$lock$suffix}
store=(--root "$cache/ctr/root" --runroot "$cache/ctr/run" --storage-driver "${STORAGE:-overlay}")

skip() {
    echo "skipped: $*"
    exit 0
}

# What is missing, in Debian's names
install_tools() {
    local missing=()
    for tool in buildah podman runc; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ -e /usr/libexec/podman/catatonit ] || missing+=(catatonit) # `init: true` of compose.yaml
    if [ "$arch" != "$native" ] && ! command -v qemu-aarch64-static >/dev/null; then
        missing+=(qemu-user-static binfmt-support)
    fi
    [ ${#missing[@]} = 0 ] && return
    [ -x /usr/bin/apt-get ] || skip "there is no apt-get to install ${missing[*]}"
    local apt=(flock /var/lib/dpkg apt-get -qq -y -o DPkg::Lock::Timeout=300)
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } \
        >"$cache/apt.log" 2>&1 || skip "apt-get cannot install ${missing[*]}, see $cache/apt.log"
}

# Lets this kernel run programs of the other architecture.
emulate() {
    local binfmt=/proc/sys/fs/binfmt_misc
    [ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt || skip "no binfmt_misc"
    [ -e $binfmt/qemu-aarch64 ] || update-binfmts --enable qemu-aarch64 || skip "no emulation"
}

make_base() {
    docker/base.sh "$cache/$arch" "$arch" >"$cache/base.log"
    tar -C "$cache/$arch/root" -c . \
        | podman "${store[@]}" import --arch "$arch" - "$1" >/dev/null
    rm -rf "$cache/$arch"
}

[ "$(id -u)" = 0 ] || skip "this is not root"
[ -e /etc/debian_version ] || [ -n "${BASE:-}" ] || skip "this is not Debian, and there is no BASE"
mkdir -p "$cache"
install_tools
[ "${1:-}" != --tools ] || exit 0
[ "$arch" = "$native" ] || emulate
base=${BASE:-localhost/gridzero-base:$arch}
if [ -z "${BASE:-}" ] && ! podman "${store[@]}" image exists "$base"; then
    make_base "$base"
fi
# what pip of this machine needs to reach its packages; nothing of it stays in the image
pip=()
for file in /etc/ssl/certs /etc/pip.conf; do [ -e "$file" ] && pip+=(-v "$file:$file:ro"); done
for place in ${PIP_FIND_LINKS:-}; do [ -d "$place" ] && pip+=(-v "$place:$place:ro"); done
buildah "${store[@]}" bud --layers --isolation chroot --format docker --arch "$arch" \
    --ignorefile .dockerignore "${pip[@]}" --build-arg BASE="$base" --build-arg LOCK="$lock" \
    -f docker/Dockerfile -t "$tag" . >"$cache/build-$lock$suffix.log" 2>&1 \
    || { tail -n 40 "$cache/build-$lock$suffix.log" && exit 1; }
podman "${store[@]}" image inspect --format "$tag: {{.Size}} bytes" "$tag"
