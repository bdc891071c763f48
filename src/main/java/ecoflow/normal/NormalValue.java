package ecoflow.normal;

import java.util.Map;

/**
 * A normalised value, for routes.
 *
 * @param name the name of the metric, without the exporter's prefix
 * @param labels the labels except those of the device
 * @param unit the unit, such as watts; empty for none
 */
public record NormalValue(String name, Map<String, String> labels, double value, String unit) {}
