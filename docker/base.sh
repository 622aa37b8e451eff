#!/usr/bin/env bash
# Makes a small root file system with Python and venv out of Debian's packages, for tests of the
# image where no registry can be reached. Packages are unpacked and not configured, so any
# architecture takes seconds; apt checks where they come from. As root on Debian.
#   docker/base.sh FOLDER [amd64|arm64] [PACKAGE ...]         makes FOLDER/root
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
arch=${2:-$(dpkg --print-architecture)}
root=$folder/root
wanted=(base-files base-passwd bash coreutils dash grep sed libc-bin passwd tzdata)
if [ $# -gt 2 ]; then wanted+=("${@:3}"); else wanted+=(python3-venv ca-certificates); fi

# An apt of its own, for which nothing is installed yet, with this machine's mirrors and keys.
own_apt() {
    apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Dir::State::status="$folder/status" -o Dir::State::Lists="$folder/lists" \
        -o Dir::Cache="$folder" -o Dir::Cache::archives="$folder/archives" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none -o Debug::NoLocking=1 "$@"
}

rm -rf "$root" "$folder/archives"
mkdir -p "$root" "$folder"/{lists,archives}/partial
: >"$folder/status"
own_apt update
own_apt -y --no-install-recommends --download-only install "${wanted[@]}"

for deb in "$folder"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -C "$root" -x --keep-directory-symlink \
        --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
        --exclude='./usr/share/locale/*' --exclude='./usr/share/info/*'
done
for deb in "$folder"/archives/*.deb; do
    dpkg-deb --field "$deb" Package Version Architecture
    printf 'Status: install ok unpacked\n\n'
done >"$root/var/lib/dpkg/status"

# What base-passwd and passwd would have made
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
sed 's/:.*/:*:19000:0:99999:7:::/' "$root/etc/passwd" >"$root/etc/shadow"
sed 's/:.*/:*::/' "$root/etc/group" >"$root/etc/gshadow"
chmod 0640 "$root/etc/shadow" "$root/etc/gshadow"
rm -rf "$folder/archives"
