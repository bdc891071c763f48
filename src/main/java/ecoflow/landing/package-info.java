/** The landing page: an overview of the devices and the state of the exporter. */
package ecoflow.landing;
