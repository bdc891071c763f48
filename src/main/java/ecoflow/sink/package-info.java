/** Sends values to the routes of integrators. */
package ecoflow.sink;
