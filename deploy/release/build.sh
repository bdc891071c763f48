#!/usr/bin/env bash
# Builds what a release consists of into target/release: the jar, the distribution, the test kit and its pom, the list
# of their parts (SBOM, in CycloneDX's JSON), and their checksums.
#
#   deploy/release/build.sh [--without-tests] [VERSION]
#
#   --without-tests   does not test again what was tested before
#   VERSION           without it that of the git tag of this commit: v1.2.3 is version 1.2.3
#
#   MAVEN_ARGS        further arguments of Maven; not -o, which leaves out the list of parts
#
# The same sources, built with a JDK of the same major version, give the same files. Signing: checksums.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
  echo "build.sh: $1" >&2
  exit 2
}

goal=verify
version=
while [ $# -gt 0 ]; do
  case $1 in
    --without-tests) goal=package ;;
    -*) fail "$1 is unknown: --without-tests, VERSION" ;;
    *) version=$1 ;;
  esac
  shift
done

if [ -z "$version" ]; then
  tag=$(git describe --exact-match --tags --match 'v[0-9]*' 2> /dev/null) ||
    fail "this commit has no tag such as v1.2.3: set one, or name a version"
  [ -z "$(git status --porcelain)" ] || fail "there are changes that the tag $tag does not have"
  version=${tag#v}
fi
number='(0|[1-9][0-9]*)'
[[ $version =~ ^$number\.$number\.$number(-[0-9A-Za-z.-]+)?$ ]] || fail "$version is no version such as 1.2.3 or 1.2.3-rc.1"

# What the changelog says of the version; what comes before a release has its section already.
heading=$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)
case $heading in
  "${version%%-*} (unreleased)") [[ $version == *-* ]] || fail "CHANGELOG.md calls $version unreleased" ;;
  "${version%%-*}" | "${version%%-*} "*) ;;
  *) fail "CHANGELOG.md starts with \"$heading\", not with $version" ;;
esac

rm -rf target
arguments=(-B -Prelease "-Drevision=$version" "$goal")
if [ "$goal" = package ]; then
  arguments+=(-DskipTests)
fi
./mvnw "${arguments[@]}"

release=target/release
name=ecoflow-exporter-$version
mkdir "$release"
cp target/ecoflow-exporter.jar "$release/$name.jar"
cp target/ecoflow-exporter.pom "$release/$name.pom"
cp target/ecoflow-exporter-tests.jar "$release/$name-tests.jar"
cp target/ecoflow-exporter-sbom.json "$release/$name-sbom.json"
cp "target/$name.tar.gz" "$release/"
# The first section of the changelog, without its heading.
awk '/^## / { if (++sections > 1) exit; next } sections' CHANGELOG.md > target/release-notes.md
deploy/release/checksums.sh "$release"
