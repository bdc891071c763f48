/** Checks passwords of clients. */
package ecoflow.passwords;
