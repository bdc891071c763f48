/** The settings, read once from environment variables; a wrong one is told in one line. */
package ecoflow.config;
