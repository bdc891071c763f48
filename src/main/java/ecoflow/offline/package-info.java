/** The packaged routes in a Camel context that starts no timer and opens no port. */
package ecoflow.offline;
