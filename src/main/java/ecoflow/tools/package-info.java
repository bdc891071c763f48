/** The command lib, which adds component jars. In the jar ecoflow-tools.jar. */
package ecoflow.tools;
