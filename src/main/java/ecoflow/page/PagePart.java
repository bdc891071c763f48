package ecoflow.page;

/** Series that are written a piece at a time. */
interface PagePart {

  /**
   * Appends the next series until there are {@code enough} bytes or all are there.
   *
   * @return whether there are more
   */
  boolean append(PageBytes out, int enough);
}
