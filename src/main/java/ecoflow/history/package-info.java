/** EcoFlow's own energy history: the codes, the calls and the answers. */
package ecoflow.history;
