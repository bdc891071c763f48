/** Checks of the passwords of the pages. */
package ecoflow.passwords;
