package org.mobilebnn;

/** A class and its probability. */
public final class Classification {
    /** The number of the class: the place of its output. */
    public final int index;
    /** Its name, which is the number where the file has no names. */
    public final String label;
    /** Its probability, 0 to 1. */
    public final float score;

    Classification(int index, String label, float score) {
        this.index = index;
        this.label = label;
        this.score = score;
    }

    @Override
    public String toString() {
        return label + " " + score;
    }
}
