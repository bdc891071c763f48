#!/usr/bin/env bash
# Builds a Debian package, target/ecoflow-exporter_VERSION_ARCHITECTURE.deb, from the distribution in target/. The package
# contains a Java runtime.
#
#   deploy/debian/build.sh [--architecture ARCHITECTURE --jmods DIRECTORY] [VERSION]
#
#   --architecture   amd64 or arm64; default: that of this machine
#   --jmods          the directory "jmods" of a JDK for that architecture, with the same major version as jlink
#   VERSION          default: that of the distribution
#
# Requires dpkg-deb and a JDK (JAVA_HOME, or jlink on the PATH). The runtime of the package requires a C library that is
# at least as new as that of the JDK: releases use Eclipse Temurin, which supports all current versions of Debian and
# Ubuntu.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
  echo "build.sh: $1" >&2
  exit 2
}

architecture=$(dpkg --print-architecture)
native=$architecture
jmods=
version=
while [ $# -gt 0 ]; do
  case $1 in
    --architecture | --jmods)
      [ $# -ge 2 ] || fail "$1 requires a value"
      if [ "$1" = --jmods ]; then jmods=$2; else architecture=$2; fi
      shift
      ;;
    -*) fail "unknown argument $1; use --architecture, --jmods, VERSION" ;;
    *) version=$1 ;;
  esac
  shift
done
case $architecture in
  amd64) machine=x86_64 ;;
  arm64) machine=aarch_64 ;;
  *) fail "architecture $architecture is not supported; use amd64 or arm64" ;;
esac
[ "$architecture" = "$native" ] || [ -n "$jmods" ] || fail "--architecture $architecture requires --jmods"

distributions=(target/ecoflow-exporter-*.tar.gz)
[ "${#distributions[@]}" -eq 1 ] && [ -r "${distributions[0]}" ] ||
  fail "target/ does not contain exactly one distribution: run ./mvnw -B clean package -DskipTests"
distribution=${distributions[0]}
if [ -z "$version" ]; then
  version=${distribution#target/ecoflow-exporter-}
  version=${version%.tar.gz}
fi
# 1.2.3~rc.1 is older than 1.2.3, and 1.2.3-rc.1 would be newer.
version=${version//-/\~}

jlink=${JAVA_HOME:+$JAVA_HOME/bin/}jlink
command -v "$jlink" > /dev/null || fail "no jlink: install a JDK, or set JAVA_HOME"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
home=$root/usr/lib/ecoflow-exporter
documents=$root/usr/share/doc/ecoflow-exporter
mkdir -p "$home" "$documents" "$root/DEBIAN" "$root/etc/ecoflow-exporter" "$root/usr/bin"
tar xzf "$distribution" -C "$home" --strip-components=1
mv "$home"/docs "$home"/*.md "$documents/"
mv "$home/LICENSE" "$documents/copyright"
mv "$home/THIRD-PARTY.txt" "$documents/"
# Native code for the other processor.
find "$home/lib" -name '*.so' ! -name "*_$machine.so" -delete

"$jlink" ${jmods:+--module-path "$jmods"} @src/main/dist/jlink.options --output "$home/jre"
# The JDK of Debian has its certificates in a different package.
cacerts=$home/jre/lib/security/cacerts
if [ ! -s "$cacerts" ]; then
  rm -f "$cacerts"
  cp -L /etc/ssl/certs/java/cacerts "$cacerts" 2> /dev/null || fail "the JDK has no CA certificates"
fi

install -m 755 deploy/debian/command.sh "$root/usr/bin/ecoflow-exporter"
install -D -m 644 deploy/debian/ecoflow-exporter.service "$root/lib/systemd/system/ecoflow-exporter.service"
install -m 644 deploy/debian/ecoflow-exporter.env "$root/etc/ecoflow-exporter/"
install -m 755 deploy/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
echo /etc/ecoflow-exporter/ecoflow-exporter.env > "$root/DEBIAN/conffiles"
cat > "$root/DEBIAN/control" << CONTROL
Package: ecoflow-exporter
Version: $version
Architecture: $architecture
Maintainer: The developers of ecoflow-exporter <ecoflow-exporter@users.noreply.github.com>
Installed-Size: $(du -sk "$root" | cut -f 1)
Depends: init-system-helpers, libc6, libstdc++6, zlib1g
Section: net
Priority: optional
Description: Prometheus exporter for EcoFlow power stations, batteries and solar devices
 It reads the values of the devices from EcoFlow's cloud, and never changes a setting. The package contains a Java
 runtime. Settings are in /etc/ecoflow-exporter.
CONTROL
chmod -R u=rwX,go=rX "$root/usr" "$root/lib" "$root/etc"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600}
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
package=target/ecoflow-exporter_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zgzip --build "$root" "$package" > /dev/null
echo "$package $(stat -c %s "$package") bytes"
