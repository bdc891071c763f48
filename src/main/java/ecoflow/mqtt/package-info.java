/** The one MQTT connection of an account, and who keeps it up. */
package ecoflow.mqtt;
