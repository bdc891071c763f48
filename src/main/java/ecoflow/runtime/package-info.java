/** The process around the routes: log, threads, class path, and the end after a fatal error. */
package ecoflow.runtime;
