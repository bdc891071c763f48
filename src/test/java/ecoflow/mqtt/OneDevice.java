package ecoflow.mqtt;

import ecoflow.account.Account;
import java.util.List;
import java.util.Optional;

/** An account with one device. */
record OneDevice(String serial, Account owner) implements MqttLink.Served {

  @Override
  public List<String> serials(Account account) {
    return List.of(serial);
  }

  @Override
  public boolean isServed(Account account, String device) {
    return account == owner && device.equals(serial);
  }

  @Override
  public Optional<Account> account(String device) {
    return device.equals(serial) ? Optional.of(owner) : Optional.empty();
  }
}
