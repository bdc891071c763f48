/** The devices that the exporter serves: their labels, and whether their values may be shown. */
package ecoflow.device;
