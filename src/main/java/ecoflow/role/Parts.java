package ecoflow.role;

import ecoflow.account.Accounts;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.page.Page;
import ecoflow.quota.Quotas;
import ecoflow.unknown.UnknownMessages;
import java.util.function.LongSupplier;
import org.apache.camel.CamelContext;

/**
 * The parts of the exporter that a role uses.
 *
 * @param prefix the prefix of the names of metrics
 * @param nanoClock monotonic, in nanoseconds
 */
public record Parts(
    CamelContext camel,
    Settings settings,
    String prefix,
    Accounts accounts,
    Devices devices,
    Quotas quotas,
    Meters meters,
    UnknownMessages unknown,
    Page page,
    LongSupplier nanoClock) {}
