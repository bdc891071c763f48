/** Checks of the passwords of clients. */
package ecoflow.passwords;
