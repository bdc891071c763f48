/**
 * HTTPS calls of EcoFlow's API: one attempt each, its answer, and what a failure means for the next
 * one.
 */
package ecoflow.api;
