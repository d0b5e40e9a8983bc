package org.mobilebnn.demo.benchmark;

import android.content.Context;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.mobilebnn.demo.network.Engine;
import org.mobilebnn.demo.network.ModelEntry;
import org.mobilebnn.demo.network.ModelStore;
import org.mobilebnn.demo.network.Network;
import org.mobilebnn.demo.network.NetworkOpener;

/**
 * Measures networks by engines and threads. The cells take turns, each in several rounds with a network opened anew, and
 * every round begins with another cell: a drift of the clock hits all of them alike.
 */
public final class Benchmark {
    /** How long things take. */
    public static final class Effort {
        final int rounds;
        final double warmupMs;
        final double measuringMs;
        final int leastRuns;
        final int mostRuns;

        /**
         * An effort.
         *
         * @param rounds turns of each cell
         * @param warmupMs before each turn
         * @param measuringMs of each turn
         * @param leastRuns of each turn, however long they take
         * @param mostRuns of each turn
         */
        public Effort(int rounds, double warmupMs, double measuringMs, int leastRuns, int mostRuns) {
            this.rounds = rounds;
            this.warmupMs = warmupMs;
            this.measuringMs = measuringMs;
            this.leastRuns = leastRuns;
            this.mostRuns = mostRuns;
        }

        /** Turns of each cell. */
        public int rounds() {
            return rounds;
        }
    }

    /** Is told, on the measuring thread, and asked whether to go on. */
    public interface Watcher {
        /** A cell has its turn. */
        void onTurn(int round, Cell cell, double done);

        /** A round is over, and another one follows. */
        void onRound();

        /** Whether the user has had enough. */
        boolean stopped();
    }

    /** As the app measures. */
    public static final Effort NORMAL = new Effort(3, 60, 200, 12, 300);

    private final Context context;
    private final ModelStore store;
    private final NetworkOpener opener;
    private final Effort effort;
    private final Map<String, ByteBuffer> files = new HashMap<>();
    private final Map<String, Cell> floats = new HashMap<>();

    /** A measurement that has not begun. */
    public Benchmark(Context context, ModelStore store, NetworkOpener opener, Effort effort) {
        this.context = context;
        this.store = store;
        this.opener = opener;
        this.effort = effort;
    }

    /** The cells of networks: every form that there is, with every number of threads. */
    public static List<Cell> cells(List<ModelEntry> entries, List<Integer> threads) {
        List<Cell> cells = new ArrayList<>();
        for (ModelEntry entry : entries) {
            for (int count : threads) {
                for (Engine engine : Engine.values()) {
                    if (entry.forms.containsKey(engine)) {
                        cells.add(new Cell(entry, engine, count));
                    }
                }
            }
        }
        return cells;
    }

    /** Measures the cells, which hold the results; what one of them throws is kept in it, and the others go on. */
    public void run(List<Cell> cells, Watcher watcher) {
        List<Cell> order = new ArrayList<>(cells);
        int turns = 0;
        for (int round = 0; round < effort.rounds; round++) {
            for (Cell cell : order) {
                if (watcher.stopped()) {
                    return;
                }
                watcher.onTurn(round, cell, (double) turns++ / (effort.rounds * order.size()));
                if (cell.failure() == null) {
                    turn(cell, round == 0, watcher);
                }
            }
            Collections.rotate(order, 1 + order.size() / effort.rounds);
            compareWithFloat(cells);
            if (round + 1 < effort.rounds) {
                watcher.onRound();
            }
        }
    }

    private void turn(Cell cell, boolean first, Watcher watcher) {
        try {
            Condition before = Condition.now(context);
            ByteBuffer file = file(cell);
            long began = System.nanoTime();
            try (Network network = opener.open(file, cell.engine, cell.threads)) {
                double loadMs = since(began);
                References references = new References(network);
                List<ByteBuffer[]> samples = references.inputs();
                ByteBuffer[] outputs = references.outputs();
                double firstMs = inference(network, samples.get(0), outputs);
                int warmups = 0;
                for (long start = System.nanoTime(); since(start) < effort.warmupMs && !watcher.stopped(); warmups++) {
                    inference(network, samples.get(0), outputs);
                }
                double[] latencies = measure(network, samples.get(0), outputs, watcher);
                if (first) {
                    compare(cell, references, network, samples);
                }
                if (latencies.length > 0) {
                    String runtime = network.runtimeVersion();
                    cell.add(new Turn(runtime, latencies, loadMs, firstMs, warmups, before, Condition.now(context)));
                }
            }
        } catch (OutOfMemoryError memory) {
            files.clear();
            cell.fail("OutOfMemoryError");
        } catch (IOException | RuntimeException | LinkageError refused) { // InvalidModelException, too
            cell.fail(String.valueOf(refused.getMessage()));
        }
    }

    private ByteBuffer file(Cell cell) throws IOException {
        ModelEntry.Form form = cell.entry.forms.get(cell.engine);
        ByteBuffer file = files.get(form.sha256);
        if (file == null) {
            file = store.content(form);
            files.put(form.sha256, file);
        }
        return file;
    }

    private double[] measure(Network network, ByteBuffer[] sample, ByteBuffer[] outputs, Watcher watcher) {
        double[] latencies = new double[effort.mostRuns];
        int runs = 0;
        long start = System.nanoTime();
        while (runs < effort.mostRuns && (runs < effort.leastRuns || since(start) < effort.measuringMs)) {
            if (watcher.stopped()) {
                break;
            }
            latencies[runs++] = inference(network, sample, outputs);
        }
        return Arrays.copyOf(latencies, runs);
    }

    private static double inference(Network network, ByteBuffer[] sample, ByteBuffer[] outputs) {
        long began = System.nanoTime();
        network.run(sample, outputs);
        return since(began);
    }

    private static double since(long began) {
        return (System.nanoTime() - began) / 1e6;
    }

    private void compare(Cell cell, References references, Network network, List<ByteBuffer[]> samples) {
        List<ByteBuffer[]> computed = references.computed(network, samples);
        cell.compared(computed, network.outputs(), references.recorded() ? references.compare(computed) : null);
        if (cell.engine == Engine.FLOAT) {
            floats.put(cell.entry.id, cell);
        }
    }

    private void compareWithFloat(List<Cell> cells) {
        for (Cell cell : cells) {
            if (cell.engine == Engine.BINARY && floats.containsKey(cell.entry.id)) {
                cell.compareWith(floats.get(cell.entry.id));
            }
        }
    }
}
