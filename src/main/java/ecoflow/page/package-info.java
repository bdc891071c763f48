/** The metrics page and the health pages. */
package ecoflow.page;
