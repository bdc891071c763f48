/** The commands of the jar beside its run. */
package ecoflow.command;
