/** What is wrong in route files of the user's own, before anything starts. */
package ecoflow.routes;
