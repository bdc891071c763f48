/** The app account: its login, and requests for all values of a device. */
package ecoflow.account;
