/**
 * Messages that nobody can read yet: which there are, and a record of them for who describes them.
 */
package ecoflow.unknown;
