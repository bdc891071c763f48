/** The settings, read once from environment variables. An invalid value is reported in one line. */
package ecoflow.config;
