/** Ends the process when it runs out of memory. */
package ecoflow.memory;
