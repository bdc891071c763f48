package ecoflow.config;

import java.util.Map;

/**
 * The settings of one account.
 *
 * @param name empty for the account of the environment variables
 * @param labels labels of the account in {@code ecoflow_account_info}
 */
public record AccountSettings(String name, Map<String, String> labels, Settings settings) {}
