/** Publishes device series as gauges in additional Micrometer registries. */
package ecoflow.registries;
