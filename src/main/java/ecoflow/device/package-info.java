/** The devices that are served: their labels, and whether their values may be shown. */
package ecoflow.device;
