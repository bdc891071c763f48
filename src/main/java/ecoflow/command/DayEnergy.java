package ecoflow.command;

import java.util.List;
import java.util.Map;

/**
 * The energy of one day.
 *
 * @param joules by the kind of energy, such as solar
 * @param problems one line for each value that is not used
 */
public record DayEnergy(Map<String, Double> joules, List<String> problems) {}
