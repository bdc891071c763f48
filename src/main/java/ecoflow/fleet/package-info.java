/** Collectors and servers of a fleet, with Kafka between them. In the jar ecoflow-fleet.jar. */
package ecoflow.fleet;
