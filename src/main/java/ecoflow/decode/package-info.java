/** Decodes binary frames: their headers, and the messages described by the tables. */
package ecoflow.decode;
