/**
 * Messages that the exporter cannot decode: their statistics, and a recording that users can share
 * with developers.
 */
package ecoflow.unknown;
