/** Protects the pages with TLS, client certificates and passwords, as configured in a file. */
package ecoflow.web;
