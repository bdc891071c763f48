/** HTTPS calls to EcoFlow's API: attempts, answers, and the handling of failures. */
package ecoflow.api;
