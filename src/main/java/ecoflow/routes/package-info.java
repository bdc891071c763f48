/** The route files: their selection, and their errors with file and line. */
package ecoflow.routes;
