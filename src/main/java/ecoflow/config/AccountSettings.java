package ecoflow.config;

import java.util.Map;

/**
 * One account. Accounts with equal settings are equal, so that a reload can detect the accounts
 * that changed.
 *
 * @param name unique in the accounts file; empty for the account of the environment
 * @param labels labels of the account by name; empty for the account of the environment
 */
public record AccountSettings(String name, Map<String, String> labels, Settings settings) {

  /** Whether the accounts file accepts the labels and, unless it is empty, the name. */
  public static boolean isValid(String name, Map<String, String> labels) {
    return AccountsReader.isValid(name.isEmpty() ? "unnamed" : name, labels);
  }
}
