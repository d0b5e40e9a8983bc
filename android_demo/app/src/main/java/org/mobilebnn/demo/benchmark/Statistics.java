package org.mobilebnn.demo.benchmark;

import java.util.Arrays;

/** Order statistics of latencies, interpolated between neighbours as NumPy does. */
public final class Statistics {
    private Statistics() {}

    /**
     * The value below which a share of the values lies.
     *
     * @param values one or more, in any order
     * @param share 0 to 1; 0.5 is the median
     */
    public static double quantile(double[] values, double share) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double at = share * (sorted.length - 1);
        int below = (int) Math.floor(at);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
    }

    /** The middle value. */
    public static double median(double[] values) {
        return quantile(values, 0.5);
    }
}
