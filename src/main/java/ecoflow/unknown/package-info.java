/**
 * Messages that the exporter cannot decode, and recordings of messages that users can share with
 * developers.
 */
package ecoflow.unknown;
