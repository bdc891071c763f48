#!/usr/bin/env bash
# Builds the files of a release into target/release: the jar, the distribution, the test kit and its pom, the SBOM (in
# CycloneDX JSON), and the checksums.
#
#   deploy/release/build.sh [--without-tests] [VERSION]
#
#   --without-tests   skips the tests, if they have already been run
#   VERSION           default: the version of the git tag of this commit; v1.2.3 is version 1.2.3
#
#   MAVEN_ARGS        further Maven arguments; not -o, which omits the SBOM
#
# Builds are reproducible with a JDK of the same major version. For signing, see checksums.sh.
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
    -*) fail "unknown argument $1; use --without-tests, VERSION" ;;
    *) version=$1 ;;
  esac
  shift
done

if [ -z "$version" ]; then
  tag=$(git describe --exact-match --tags --match 'v[0-9]*' 2> /dev/null) ||
    fail "this commit has no tag such as v1.2.3: create one, or pass a version"
  [ -z "$(git status --porcelain)" ] || fail "the working tree has changes that are not in the tag $tag"
  version=${tag#v}
fi
number='(0|[1-9][0-9]*)'
[[ $version =~ ^$number\.$number\.$number(-[0-9A-Za-z.-]+)?$ ]] || fail "$version is not a version such as 1.2.3 or 1.2.3-rc.1"

# The changelog must have a section for the version. A pre-release uses the section of its release.
heading=$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)
case $heading in
  "${version%%-*} (unreleased)") [[ $version == *-* ]] || fail "CHANGELOG.md marks $version as unreleased" ;;
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
