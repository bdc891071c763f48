package ecoflow.web;

/** Describes an error in the web configuration file, or in a file that it refers to. */
final class WebConfigException extends Exception {

  private static final long serialVersionUID = 1L;

  WebConfigException(String message) {
    super(message);
  }
}
