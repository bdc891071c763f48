/** Text for the log, and tables that users write. */
package ecoflow.text;
