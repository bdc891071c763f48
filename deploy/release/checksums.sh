#!/usr/bin/env bash
# Writes SHA256SUMS for all files of a folder, and where there is a key its signature, SHA256SUMS.asc.
#
#   deploy/release/checksums.sh FOLDER
#
#   RELEASE_SIGNING_KEY          a secret key of gpg, armored, such as a secret of the CI; it stays in no key ring
#   RELEASE_SIGNING_PASSPHRASE   the key's passphrase, if it has one
#   RELEASE_SIGNING_USER         in place of the key: which key of the user's own ring signs
#
# Whoever downloads: gpg --verify SHA256SUMS.asc SHA256SUMS && sha256sum --check --ignore-missing SHA256SUMS
set -euo pipefail

fail() {
  echo "checksums.sh: $1" >&2
  exit 2
}

[ $# -eq 1 ] || fail "takes one folder"
cd "$1" 2> /dev/null || fail "$1 is no folder"

# A signature of other sums must not stay.
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
  gpg --batch --quiet --import <<< "$RELEASE_SIGNING_KEY" || fail "RELEASE_SIGNING_KEY is no secret key of gpg"
elif [ -n "${RELEASE_SIGNING_USER:-}" ]; then
  options+=(--local-user "$RELEASE_SIGNING_USER")
else
  echo "checksums.sh: no key, so SHA256SUMS is not signed" >&2
  exit 0
fi
gpg "${options[@]}" --armor --detach-sign --output SHA256SUMS.asc SHA256SUMS <<< "${RELEASE_SIGNING_PASSPHRASE:-}" || {
  rm -f SHA256SUMS.asc
  fail "SHA256SUMS is not signed"
}
gpg --batch --quiet --verify SHA256SUMS.asc SHA256SUMS
