package org.mobilebnn.demo.draw;

/** How a drawing becomes an image like those that a network was trained on. */
public final class DrawStyle {
    /** What the user is asked to draw. */
    public enum Subject { DIGIT, GARMENT, ANYTHING }

    /** What to draw. */
    public final Subject subject;
    /** The longer side of the drawing as a share of the image's side. */
    public final float extent;
    /** The width of the thinnest pen as a share of the image's side. */
    public final float pen;
    /** The width of the thickest pen. */
    public final float thickestPen;
    /** The share of the image that ink covers: the pen is made thicker until it does. */
    public final float ink;
    /** Whether what an outline encloses is filled: the network knows garments, not their outlines. */
    public final boolean filled;
    /** Whether the centre of mass lies in the middle, and not the middle of the box. */
    public final boolean byMass;
    /** Whether the background is light and the pen dark; otherwise the other way round. */
    public final boolean darkOnLight;

    private DrawStyle(
            Subject subject, float extent, float[] pens, float ink, boolean filled, boolean byMass, boolean darkOnLight) {
        this.subject = subject;
        this.extent = extent;
        this.pen = pens[0];
        this.thickestPen = pens[pens.length - 1];
        this.ink = ink;
        this.filled = filled;
        this.byMass = byMass;
        this.darkOnLight = darkOnLight;
    }

    /**
     * The style of a data set's images.
     *
     * @param dataset its name in the file's metadata; null where the file does not tell
     */
    public static DrawStyle of(String dataset) {
        if ("digits".equals(dataset)) { // 8 x 8 pixels, filled to the edge; ink covers 0.30 of them, whatever the digit
            return new DrawStyle(Subject.DIGIT, 1f, new float[] {0.1f, 0.24f}, 0.28f, false, false, false);
        }
        if ("mnist".equals(dataset)) { // 20 of 28 pixels, by the centre of mass
            return new DrawStyle(Subject.DIGIT, 20f / 28, new float[] {0.09f}, 0, false, true, false);
        }
        if ("fashion_mnist".equals(dataset)) {
            return new DrawStyle(Subject.GARMENT, 1f, new float[] {0.07f}, 0, true, false, false);
        }
        return new DrawStyle(Subject.ANYTHING, 0.875f, new float[] {0.07f}, 0, false, false, true);
    }
}
