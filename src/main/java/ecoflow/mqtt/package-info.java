/** The MQTT connection of an account, its keep-alive and its reconnects. */
package ecoflow.mqtt;
