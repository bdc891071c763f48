/** The latest values of every device, as series. */
package ecoflow.quota;
