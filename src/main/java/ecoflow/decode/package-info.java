/** Binary frames: their headers, and the messages in them, by the packaged tables. */
package ecoflow.decode;
