/** Polls with developer keys: their schedule and their signature. */
package ecoflow.rest;
