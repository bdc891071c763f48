/** The login for MQTT connections, and requests for all values of a device. */
package ecoflow.login;
