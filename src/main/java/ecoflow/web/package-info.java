/** Who may see the pages: TLS, client certificates and passwords, as a file says it. */
package ecoflow.web;
