package org.mobilebnn.demo.benchmark;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import org.mobilebnn.demo.network.ModelStore;
import org.mobilebnn.demo.network.NetworkOpener;

/** A benchmark that goes on in the background when the phone is turned. Its methods are for the main thread. */
public final class BenchmarkSession {
    /** Is told of every step, on the main thread. */
    public interface Listener {
        /** Something has changed. */
        void onChanged();
    }

    private final Context context;
    private final ModelStore store;
    private final NetworkOpener opener;
    private final Handler main = new Handler(Looper.getMainLooper());
    private List<Cell> cells = Collections.emptyList();
    private Listener listener;
    private Condition before;
    private Condition after;
    private Date ended;
    private boolean running;
    private volatile boolean stopped;
    private Cell current;
    private int round;
    private double done;

    /** A session without results. */
    public BenchmarkSession(Context context, ModelStore store, NetworkOpener opener) {
        this.context = context;
        this.store = store;
        this.opener = opener;
    }

    /** Sets the listener; null removes it. */
    public void setListener(Listener newListener) {
        listener = newListener;
    }

    /** Measures cells, which become the session's results; does nothing while it measures. */
    public void start(List<Cell> newCells, Benchmark.Effort effort) {
        if (running) {
            return;
        }
        running = true;
        stopped = false;
        cells = newCells;
        current = null;
        done = 0;
        before = Condition.now(context);
        after = null;
        Thread thread = new Thread(() -> {
            new Benchmark(context, store, opener, effort).run(newCells, new Watching());
            main.post(this::end);
        }, "benchmark");
        thread.start();
        changed();
    }

    /** Ends it after the inference that runs; what was measured stays. */
    public void stop() {
        stopped = true;
    }

    private void end() {
        running = false;
        after = Condition.now(context);
        ended = new Date();
        changed();
    }

    private void changed() {
        if (listener != null) {
            listener.onChanged();
        }
    }

    /** Whether it measures. */
    public boolean running() {
        return running;
    }

    /** What is measured, or was. */
    public List<Cell> cells() {
        return cells;
    }

    /** The cell that has its turn; null before the first. */
    public Cell current() {
        return current;
    }

    /** The number of the round, from 0. */
    public int round() {
        return round;
    }

    /** How much is done, 0 to 1. */
    public double done() {
        return done;
    }

    /** The phone when it began; null if it never did. */
    public Condition before() {
        return before;
    }

    /** The phone when it ended; null until then. */
    public Condition after() {
        return after;
    }

    /** When it ended; null until then. */
    public Date ended() {
        return ended;
    }

    /** Whether something was measured. */
    public boolean hasResults() {
        return cells.stream().anyMatch(Cell::measured);
    }

    private final class Watching implements Benchmark.Watcher {
        @Override
        public void onTurn(int newRound, Cell cell, double newDone) {
            main.post(() -> {
                current = cell;
                round = newRound;
                done = newDone;
                changed();
            });
        }

        @Override
        public boolean stopped() {
            return stopped;
        }
    }
}
