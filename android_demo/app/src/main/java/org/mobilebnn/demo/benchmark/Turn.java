package org.mobilebnn.demo.benchmark;

import java.io.Serializable;

/** A turn of a cell: a network opened anew, warmed up, and measured. */
public final class Turn implements Serializable {
    /** The version of TensorFlow Lite. */
    public final String runtimeVersion;
    /** In order of time, in milliseconds. */
    public final double[] latenciesMs;
    /** Opening the network. */
    public final double loadMs;
    /** The first inference. */
    public final double firstMs;
    /** Inferences that were not counted. */
    public final int warmupRuns;
    /** The phone before. */
    public final Condition before;
    /** The phone after. */
    public final Condition after;

    Turn(
            String runtimeVersion,
            double[] latenciesMs,
            double loadMs,
            double firstMs,
            int warmupRuns,
            Condition before,
            Condition after) {
        this.runtimeVersion = runtimeVersion;
        this.latenciesMs = latenciesMs;
        this.loadMs = loadMs;
        this.firstMs = firstMs;
        this.warmupRuns = warmupRuns;
        this.before = before;
        this.after = after;
    }
}
