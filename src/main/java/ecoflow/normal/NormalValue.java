package ecoflow.normal;

import java.util.Map;

/**
 * A normalised value, for routes.
 *
 * @param name of the metric, without the exporter's prefix
 * @param labels other than those of the device
 * @param unit such as watts; empty for a number without a unit
 */
public record NormalValue(String name, Map<String, String> labels, double value, String unit) {}
