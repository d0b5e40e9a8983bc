package org.mobilebnn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/** From a classifier's output to named classes, as Python's {@code mobile_bnn.runtime.classify} does. */
final class ClassScores {
    private static final double SOFTMAX_STEP = 1.0 / 256; // of an integer softmax, from 0 on

    private ClassScores() {
    }

    /**
     * All classes, the most probable first.
     *
     * @param values of the output; those that are not a distribution are taken for logits
     */
    static List<Classification> of(double[] values, TensorInfo output, List<String> labels) {
        double[] probabilities = isDistribution(values, output) ? values : softmax(values);
        Integer[] order = new Integer[probabilities.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> -probabilities[i]));
        List<Classification> found = new ArrayList<>();
        for (int i : order) {
            String label = i < labels.size() ? labels.get(i) : Integer.toString(i);
            found.add(new Classification(i, label, (float) probabilities[i]));
        }
        return Collections.unmodifiableList(found);
    }

    /** An integer output misses 1 by up to half a step for each class. */
    private static boolean isDistribution(double[] values, TensorInfo output) {
        double sum = 0;
        for (double value : values) {
            if (!(value >= 0)) {
                return false;
            }
            sum += value;
        }
        boolean whole = output.type != TensorType.FLOAT32;
        return (whole && output.scale == (float) SOFTMAX_STEP) || Math.abs(sum - 1) < 0.02;
    }

    private static double[] softmax(double[] values) {
        double largest = Arrays.stream(values).max().orElse(0);
        double[] found = Arrays.stream(values).map(value -> Math.exp(value - largest)).toArray();
        double sum = Arrays.stream(found).sum();
        return Arrays.stream(found).map(value -> value / sum).toArray();
    }
}
