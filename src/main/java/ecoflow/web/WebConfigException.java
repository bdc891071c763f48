package ecoflow.web;

/** A short description of an error in the file or in a file that it names. */
final class WebConfigException extends Exception {

  private static final long serialVersionUID = 1L;

  WebConfigException(String message) {
    super(message);
  }
}
