/** HTTPS calls to EcoFlow's API: attempts, responses, and the handling of failures. */
package ecoflow.api;
