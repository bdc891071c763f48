/** Normalised metrics: names, units and signs that are the same for all models. */
package ecoflow.normal;
