package org.mobilebnn.demo.benchmark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.mobilebnn.TensorInfo;
import org.mobilebnn.demo.network.Engine;
import org.mobilebnn.demo.network.ModelEntry;

/** One network by one engine with so many threads: what is measured, and what came of it. */
public final class Cell implements Serializable {
    /** The network. */
    public final ModelEntry entry;
    /** What runs it. */
    public final Engine engine;
    /** Of the engine. */
    public final int threads;
    private final List<Turn> rounds = new ArrayList<>();
    private String failure;
    private Parity parity;
    private Parity besideFloat;
    private transient List<ByteBuffer[]> computed = Collections.emptyList(); // for as long as it is measured
    private transient List<TensorInfo> outputs = Collections.emptyList();

    /** A cell without results. */
    public Cell(ModelEntry entry, Engine engine, int threads) {
        this.entry = entry;
        this.engine = engine;
        this.threads = threads;
    }

    /** Whether there are latencies. */
    public synchronized boolean measured() {
        return !rounds.isEmpty();
    }

    /** Whether it had its turn. */
    public synchronized boolean answered() {
        return measured() || failure != null;
    }

    /** All latencies in order of time, in milliseconds. */
    public synchronized double[] latenciesMs() {
        int count = 0;
        for (Turn round : rounds) {
            count += round.latenciesMs.length;
        }
        double[] all = new double[count];
        int at = 0;
        for (Turn round : rounds) {
            System.arraycopy(round.latenciesMs, 0, all, at, round.latenciesMs.length);
            at += round.latenciesMs.length;
        }
        return all;
    }

    /** The median in milliseconds, of a cell with latencies. */
    public double medianMs() {
        return Statistics.median(latenciesMs());
    }

    /** The time that 90 of 100 runs stay below, in milliseconds. */
    public double p90Ms() {
        return Statistics.quantile(latenciesMs(), 0.9);
    }

    /** Why it could not be measured; null where it could. */
    public synchronized String failure() {
        return failure;
    }

    /** How what it computes compares with what was recorded; null where nothing was. */
    public synchronized Parity parity() {
        return parity;
    }

    /** How what it computes compares with the float file of the same function on this phone; null where nothing does. */
    public synchronized Parity besideFloat() {
        return besideFloat;
    }

    /** Its turns, in order of time. */
    public synchronized List<Turn> turns() {
        return new ArrayList<>(rounds);
    }

    synchronized void add(Turn round) {
        rounds.add(round);
    }

    synchronized void fail(String why) {
        failure = why;
    }

    /** Keeps what it computed for each sample, and how that compares with the recording; null: there is none. */
    synchronized void compared(List<ByteBuffer[]> newComputed, List<TensorInfo> tensors, Parity withRecorded) {
        computed = newComputed;
        outputs = tensors;
        parity = withRecorded;
    }

    /** Compares with what the float file computed for the same inputs. */
    synchronized void compareWith(Cell ofFloat) {
        if (!computed.isEmpty() && !ofFloat.computed.isEmpty()) {
            besideFloat = Parity.of(computed, ofFloat.computed, outputs);
        }
    }
}
