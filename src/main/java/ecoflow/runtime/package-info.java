/**
 * The runtime environment of the routes: log, threads, class path, and the exit after a fatal
 * error.
 */
package ecoflow.runtime;
