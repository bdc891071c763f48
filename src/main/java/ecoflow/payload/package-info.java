/** Route steps that decode MQTT payloads to quotas. */
package ecoflow.payload;
