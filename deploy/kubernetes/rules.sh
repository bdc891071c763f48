#!/bin/sh
# Writes components/prometheus-rule/prometheusrule.yaml anew from the rules of deploy/prometheus/rules.
set -eu
cd "$(dirname "$0")"

{
  cat << 'HEAD'
# Written by deploy/kubernetes/rules.sh from deploy/prometheus/rules: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ecoflow-exporter
  labels:
    app.kubernetes.io/name: ecoflow-exporter
spec:
HEAD
  set -- ../prometheus/rules/*.yaml
  if [ -r "$1" ]; then
    echo "  groups:"
    # The list of each file, a level deeper.
    sed -e '/^groups:/d' -e '/^---$/d' -e 's/^\(.\)/  \1/' "$@"
  else
    echo "  groups: []"
  fi
} > components/prometheus-rule/prometheusrule.yaml.new
mv components/prometheus-rule/prometheusrule.yaml.new components/prometheus-rule/prometheusrule.yaml
