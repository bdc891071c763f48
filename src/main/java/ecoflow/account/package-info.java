/** The accounts at EcoFlow, and where beans store the state of each. */
package ecoflow.account;
