#!/bin/sh
# Writes anew what is here and under deploy/camel-k as a copy, since kustomize reads no file from outside a folder: the
# catalogue of models, the route that serves as an example, and the rules of Prometheus as an object of its operator.
set -eu
cd "$(dirname "$0")/../.."

cp devices.json deploy/kubernetes/base/
for folder in deploy/kubernetes/components/routes deploy/camel-k; do
  cp examples/routes/tutorial/look.camel.yaml "$folder/"
done

rules=deploy/kubernetes/components/prometheus-rule/prometheusrule.yaml
{
  cat << 'HEAD'
# Written by deploy/kubernetes/copies.sh from deploy/prometheus/rules: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ecoflow-exporter
  labels:
    app.kubernetes.io/name: ecoflow-exporter
spec:
  groups:
HEAD
  # The list of each file, a level deeper.
  sed -e '/^groups:/d' -e '/^---$/d' -e 's/^\(.\)/  \1/' deploy/prometheus/rules/*.yaml
} > "$rules.new"
mv "$rules.new" "$rules"
