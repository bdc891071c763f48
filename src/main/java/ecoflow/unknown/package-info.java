/**
 * Messages that the exporter cannot decode yet: a list of them, and a recording for people who
 * describe them.
 */
package ecoflow.unknown;
