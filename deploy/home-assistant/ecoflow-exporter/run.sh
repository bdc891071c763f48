#!/bin/sh
# Starts the exporter with the options of the add-on, each of which is a variable.
set -eu
options=${OPTIONS:-/data/options.json}
assignments=$(jq -r 'to_entries[] | select(.value != null and .value != "") | "export \(.key)=\(.value | tostring | @sh)"' \
  "$options")
eval "$assignments"
exec "${LAUNCHER:-/app/bin/ecoflow-exporter}"
