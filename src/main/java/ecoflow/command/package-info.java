/** The commands of the command line. */
package ecoflow.command;
