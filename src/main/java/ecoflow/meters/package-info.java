/** What the exporter counts of itself. */
package ecoflow.meters;
