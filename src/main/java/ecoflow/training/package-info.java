/** The training run from which the Java runtime creates the start-up archive. */
package ecoflow.training;
