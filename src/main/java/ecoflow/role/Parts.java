package ecoflow.role;

import ecoflow.account.Accounts;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.page.Page;
import ecoflow.quota.Quotas;
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
    String prefix,
    Accounts accounts,
    Devices devices,
    Quotas quotas,
    Meters meters,
    Page page,
    LongSupplier nanoClock) {}
