/** One language for all models: names, units and signs that are the same for every device. */
package ecoflow.normal;
