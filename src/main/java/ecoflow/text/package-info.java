/** Words and lines for the log. */
package ecoflow.text;
