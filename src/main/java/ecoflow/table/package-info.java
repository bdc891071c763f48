/** Tables that users write. */
package ecoflow.table;
