/** Text for the log, and the reader of users' tables. */
package ecoflow.text;
