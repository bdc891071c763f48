/** Registries of Micrometer in which device series are gauges too. */
package ecoflow.registries;
