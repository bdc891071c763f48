/** The steps from an MQTT payload to the quotas in it. */
package ecoflow.payload;
