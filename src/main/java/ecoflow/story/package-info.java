/** What became of one MQTT message, in one line at DEBUG. */
package ecoflow.story;
