/** The metrics page, the health pages and the pages about accounts. */
package ecoflow.page;
