#!/bin/sh
# The exporter with the Java runtime of this package.
export JAVA_HOME=/usr/lib/ecoflow-exporter/jre
exec /usr/lib/ecoflow-exporter/bin/ecoflow-exporter "$@"
