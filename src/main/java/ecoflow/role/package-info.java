/**
 * The interface between the exporter and the package {@code fleet}, which is in a separate jar with
 * Kafka's client.
 */
package ecoflow.role;
