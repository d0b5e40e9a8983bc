package org.mobilebnn.demo.benchmark;

import java.nio.ByteBuffer;

/** How far outputs are those that were expected. */
public final class Parity {
    /** How many inputs were compared. */
    public final int samples;
    /** Whether every bit is the same. */
    public final boolean equal;
    /** The largest absolute difference of an output; infinite where a value is not a number. */
    public final double largestDifference;
    /** The share of inputs whose largest output is the same one, 0 to 1. */
    public final double agreement;

    private Parity(int samples, boolean equal, double largestDifference, double agreement) {
        this.samples = samples;
        this.equal = equal;
        this.largestDifference = largestDifference;
        this.agreement = agreement;
    }

    /**
     * Compares outputs of floats.
     *
     * @param computed of all samples in turn
     * @param expected as many bytes
     * @throws IllegalArgumentException they are of different sizes
     */
    public static Parity of(ByteBuffer computed, ByteBuffer expected, int samples) {
        if (computed.capacity() != expected.capacity() || computed.capacity() % (4 * samples) != 0) {
            throw new IllegalArgumentException("the outputs are of another size than those that were recorded");
        }
        int each = computed.capacity() / 4 / samples;
        boolean equal = true;
        double largest = 0;
        int agreeing = 0;
        for (int sample = 0; sample < samples; sample++) {
            int ours = 0;
            int theirs = 0;
            for (int i = 0; i < each; i++) {
                int at = 4 * (sample * each + i);
                equal &= computed.getInt(at) == expected.getInt(at);
                double difference = Math.abs((double) computed.getFloat(at) - expected.getFloat(at));
                largest = Math.max(largest, Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference);
                int start = 4 * sample * each;
                ours = computed.getFloat(at) > computed.getFloat(start + 4 * ours) ? i : ours;
                theirs = expected.getFloat(at) > expected.getFloat(start + 4 * theirs) ? i : theirs;
            }
            agreeing += ours == theirs ? 1 : 0;
        }
        return new Parity(samples, equal, largest, (double) agreeing / samples);
    }
}
