package ecoflow;

/** Starts the exporter. */
public final class EcoflowExporter {

  private EcoflowExporter() {}

  public static void main(String[] args) {
    System.out.println("ecoflow-exporter");
  }
}
