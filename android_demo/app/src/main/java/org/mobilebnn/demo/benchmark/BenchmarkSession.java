package org.mobilebnn.demo.benchmark;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;
import java.io.File;
import java.util.List;
import org.mobilebnn.demo.network.ModelStore;
import org.mobilebnn.demo.network.NetworkOpener;

/**
 * A benchmark that goes on in the background when the phone is turned. After each round a file keeps its results, which
 * the next session begins with. Its methods are for the main thread.
 */
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
    private final File kept;
    private Listener listener;
    private Results results;
    private boolean running;
    private volatile boolean stopped;
    private Cell current;
    private int round;
    private double done;

    /** A session with the results that were kept, where there are any. */
    public BenchmarkSession(Context context, ModelStore store, NetworkOpener opener) {
        this.context = context;
        this.store = store;
        this.opener = opener;
        kept = new File(context.getNoBackupFilesDir(), "benchmark"); // a new phone does not inherit what this one took
        results = Results.read(kept);
    }

    /** Sets the listener; null removes it. */
    public void setListener(Listener newListener) {
        listener = newListener;
    }

    /** Measures cells; does nothing while it measures. */
    public void start(List<Cell> cells, Benchmark.Effort effort) {
        if (running) {
            return;
        }
        running = true;
        stopped = false;
        current = null;
        done = 0;
        results = null;
        Condition before = Condition.now(context);
        Thread thread = new Thread(() -> {
            new Benchmark(context, store, opener, effort).run(cells, new Watching(cells, before));
            Results all = keep(cells, before);
            main.post(() -> end(all));
        }, "benchmark");
        thread.start();
        changed();
    }

    private Results keep(List<Cell> cells, Condition before) {
        Results now = new Results(cells, opener, before, Condition.now(context));
        if (now.measured()) {
            now.write(kept);
        }
        return now;
    }

    /** Ends it after the inference that runs; what was measured stays. */
    public void stop() {
        stopped = true;
    }

    private void end(Results all) {
        running = false;
        results = all;
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

    /** What the last one measured; null where there was none, or as long as one runs. */
    public Results results() {
        return results;
    }

    private final class Watching implements Benchmark.Watcher {
        private final List<Cell> cells;
        private final Condition before;

        Watching(List<Cell> cells, Condition before) {
            this.cells = cells;
            this.before = before;
        }

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
        public void onRound() {
            keep(cells, before);
        }

        @Override
        public boolean stopped() {
            return stopped;
        }
    }
}
