package ecoflow.web;

/** What is wrong with the file or a file that it names, in a few words. */
final class WebConfigException extends Exception {

  private static final long serialVersionUID = 1L;

  WebConfigException(String message) {
    super(message);
  }
}
