#!/usr/bin/env bash
# Builds the images ecoflow-exporter, ecoflow-exporter-demo and ecoflow-exporter-fleet, with docker, podman or buildah,
# and prints their sizes.
#
#   deploy/image/build.sh [--stand-ins] [--tag TAG]
#
#   --stand-ins   builds missing base images from Debian packages instead of pulling them, for machines without access to
#                 an image registry. Requires Debian, root, buildah and mmdebstrap. The resulting images are for tests
#                 only; they contain the Java runtime of Debian.
#   --tag TAG     tag of the images, default "latest"
#
#   ENGINE        docker, podman or buildah; default: the first one that is installed
#   VERSION       version in the label of the image; default: the version in pom.xml
#   MAVEN_ARGS    further Maven arguments for the build of the exporter, such as -o
#
# With podman and buildah, Maven uses the local repository in ~/.m2 and adds to it.
set -euo pipefail
cd "$(dirname "$0")/../.."

java_base=eclipse-temurin:21-jdk
system_base=debian:bookworm-slim
stand_ins=false
tag=latest

fail() {
  echo "build.sh: $1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --stand-ins) stand_ins=true ;;
    --tag)
      [ $# -ge 2 ] || fail "--tag requires a value"
      tag=$2
      shift
      ;;
    *) fail "unknown argument $1; use --stand-ins, --tag TAG" ;;
  esac
  shift
done

engine=${ENGINE:-}
if "$stand_ins"; then
  engine=buildah
  for program in buildah mmdebstrap; do
    command -v "$program" > /dev/null || fail "--stand-ins requires $program: apt-get install $program"
  done
  [ "$(id -u)" -eq 0 ] || fail "--stand-ins requires root"
fi
for program in docker podman buildah; do
  if [ -z "$engine" ] && command -v "$program" > /dev/null; then
    engine=$program
  fi
done
[ -n "$engine" ] || fail "docker, podman and buildah are not installed"

# Without manuals, translations and package lists, like the slim image.
make_system_base() {
  local directory
  directory=$(mktemp -d)
  # shellcheck disable=SC2016 # mmdebstrap sets $1
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/*' \
    bookworm "$directory/base.tar" < /dev/null
  printf 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n' > "$directory/Dockerfile"
  buildah bud --quiet --isolation chroot --format docker -t "docker.io/library/$system_base" "$directory" > /dev/null
  rm -rf "$directory"
}

make_java_base() {
  local container
  container=$(buildah from --pull-never "docker.io/library/$system_base")
  # Package scripts expect the directory of the manual pages.
  buildah run --isolation chroot --network host "$container" -- sh -ec 'mkdir -p /usr/share/man/man1
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install openjdk-17-jdk-headless ca-certificates
    apt-get clean
    rm -rf /var/lib/apt/lists/*' > /dev/null 2>&1 || {
    buildah rm "$container" > /dev/null
    fail "cannot install Debian's Java in the base image"
  }
  buildah commit --quiet --format docker --rm "$container" "docker.io/library/$java_base" > /dev/null
}

has_image() {
  buildah inspect --type image "docker.io/library/$1" > /dev/null 2>&1
}

options=(
  --build-arg "VERSION=${VERSION:-$(sed -n -e 's|^  <version>\([0-9].*\)</version>|\1|p' -e 's|^    <revision>\(.*\)</revision>|\1|p' pom.xml)}"
  --build-arg "REVISION=$(git rev-parse HEAD 2> /dev/null || echo unknown)"
  --build-arg "MAVEN_ARGS=${MAVEN_ARGS:-}"
)
case $engine in
  docker) build=(docker build) ;;
  # The OCI format does not support HEALTHCHECK.
  podman) build=(podman build --format docker --layers) ;;
  buildah) build=(buildah bud --format docker --layers --force-rm) ;;
  *) fail "ENGINE=$engine is not supported; use docker, podman or buildah" ;;
esac
if [ "$engine" != docker ]; then
  mkdir -p "$HOME/.m2"
  options+=(-v "$HOME/.m2:/root/.m2")
fi
if "$stand_ins"; then
  has_image "$system_base" || make_system_base
  has_image "$java_base" || make_java_base
  # The digest of a stand-in differs from that of the image that it replaces.
  dockerfile=$(mktemp)
  trap 'rm -f "$dockerfile"' EXIT
  sed 's/@sha256:[0-9a-f]*//' Dockerfile > "$dockerfile"
  options+=(--file "$dockerfile")
  # Isolation without resource control, and the CA certificates of this machine.
  options+=(--isolation chroot --pull-never --network host)
  if [ -e /etc/ssl/certs/java/cacerts ]; then
    options+=(-v /etc/ssl/certs:/etc/ssl/certs:ro)
  fi
fi

"${build[@]}" "${options[@]}" -t "ecoflow-exporter:$tag" .
"${build[@]}" "${options[@]}" -t "ecoflow-exporter-demo:$tag" --target demo .
"${build[@]}" "${options[@]}" -t "ecoflow-exporter-fleet:$tag" --target fleet .
"$engine" images | grep -E "^REPOSITORY|ecoflow-exporter(-demo|-fleet)? +$tag "
