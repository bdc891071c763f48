/** Route files: which ones are loaded, and their errors, with file and line. */
package ecoflow.routes;
