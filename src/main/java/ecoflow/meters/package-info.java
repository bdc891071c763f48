/** Metrics about the exporter itself. */
package ecoflow.meters;
