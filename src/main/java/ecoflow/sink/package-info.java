/** Hands values on to the routes of integrators. */
package ecoflow.sink;
