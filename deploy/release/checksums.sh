#!/usr/bin/env bash
# Writes SHA256SUMS for all files in a directory, and its signature SHA256SUMS.asc if there is a key.
#
#   deploy/release/checksums.sh DIRECTORY
#
#   RELEASE_SIGNING_KEY          an armored secret GPG key, such as a CI secret; it is not added to a keyring
#   RELEASE_SIGNING_PASSPHRASE   the passphrase of the key, if it has one
#   RELEASE_SIGNING_USER         alternative to the key: the user ID of a key in your keyring
#
# To verify a download: gpg --verify SHA256SUMS.asc SHA256SUMS && sha256sum --check --ignore-missing SHA256SUMS
set -euo pipefail

fail() {
  echo "checksums.sh: $1" >&2
  exit 2
}

[ $# -eq 1 ] || fail "expected one argument, the directory"
cd "$1" 2> /dev/null || fail "$1 is not a directory"

# A previous signature would not match the new checksums.
rm -f SHA256SUMS SHA256SUMS.asc
shopt -s nullglob
files=(*)
[ "${#files[@]}" -gt 0 ] || fail "$1 is empty"
sha256sum -- "${files[@]}" > SHA256SUMS

options=(--batch --yes --pinentry-mode loopback --passphrase-fd 0)
if [ -n "${RELEASE_SIGNING_KEY:-}" ]; then
  GNUPGHOME=$(mktemp -d)
  export GNUPGHOME
  trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
  gpg --batch --quiet --import <<< "$RELEASE_SIGNING_KEY" || fail "RELEASE_SIGNING_KEY is not a secret GPG key"
elif [ -n "${RELEASE_SIGNING_USER:-}" ]; then
  options+=(--local-user "$RELEASE_SIGNING_USER")
else
  echo "checksums.sh: no key, so SHA256SUMS is not signed" >&2
  exit 0
fi
gpg "${options[@]}" --armor --detach-sign --output SHA256SUMS.asc SHA256SUMS <<< "${RELEASE_SIGNING_PASSPHRASE:-}" || {
  rm -f SHA256SUMS.asc
  fail "cannot sign SHA256SUMS"
}
gpg --batch --quiet --verify SHA256SUMS.asc SHA256SUMS
