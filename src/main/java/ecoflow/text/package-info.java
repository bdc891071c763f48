/** Text for the log, and the readers of users' tables and YAML files. */
package ecoflow.text;
