#!/bin/sh
# Prints the records of a fleet topic from its beginning: time of receipt, serial number, headers and value.
#
#   examples/fleet/consumer.sh BROKER TOPIC [OPTION...]
#
# For example: consumer.sh localhost:9092 ecoflow.raw -e. The option -e ends the program after the last record.
# Needs: kcat (apt-get install kcat).
broker=$1 topic=$2
shift 2
exec kcat -C -q -b "$broker" -t "$topic" -o beginning -f '%T %k %h %s\n' "$@"
