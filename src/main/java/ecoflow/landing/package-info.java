/** The page for people: the devices at a glance, and how the exporter is. */
package ecoflow.landing;
