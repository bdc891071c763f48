#!/bin/sh
# Starts the exporter with the options of the add-on, each of which is a variable.
set -eu
options=${OPTIONS:-/data/options.json}
assignments=$(jq -r 'to_entries[] | select(.value != null and .value != "") | "export \(.key)=\(.value | tostring | @sh)"' \
  "$options")
eval "$assignments"
# shellcheck disable=SC2086 # a command with arguments
exec ${COMMAND:-/app/jre/bin/java @/app/java.options ecoflow.EcoflowExporter}
