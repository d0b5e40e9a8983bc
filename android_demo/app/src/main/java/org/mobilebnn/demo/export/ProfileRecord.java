package org.mobilebnn.demo.export;

import java.text.SimpleDateFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.mobilebnn.demo.benchmark.Cell;
import org.mobilebnn.demo.benchmark.Condition;
import org.mobilebnn.demo.benchmark.DeviceFacts;
import org.mobilebnn.demo.benchmark.Parity;
import org.mobilebnn.demo.benchmark.Results;
import org.mobilebnn.demo.benchmark.Statistics;
import org.mobilebnn.demo.benchmark.Turn;
import org.mobilebnn.demo.network.Engine;
import org.mobilebnn.demo.network.ModelEntry;

/** Results as the JSON that {@code mbnn profile} writes ({@code Profile} in docs/json.schema.json, version 2). */
public final class ProfileRecord {
    private static final int VERSION = 2;
    private static final String TARGET = "android-app";

    private final DeviceFacts device;
    private final Results results;

    /** The record of what was measured on a device. */
    public ProfileRecord(DeviceFacts device, Results results) {
        this.device = device;
        this.results = results;
    }

    /** Every cell that was measured. */
    public String json() {
        try {
            JSONArray measurements = new JSONArray();
            for (Cell cell : results.cells) {
                if (cell.measured()) {
                    measurements.put(measurement(cell));
                }
            }
            SimpleDateFormat iso = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss'+00:00'", Locale.ROOT);
            iso.setTimeZone(TimeZone.getTimeZone("UTC"));
            return new JSONObject()
                    .put("schema_version", VERSION)
                    .put("target", TARGET)
                    .put("machine", machine())
                    .put("measured_at", iso.format(results.ended))
                    .put("measurements", measurements)
                    .toString(1);
        } catch (JSONException impossible) { // a number that is none
            throw new IllegalStateException(impossible);
        }
    }

    private JSONObject machine() throws JSONException {
        JSONArray flags = new JSONArray();
        return new JSONObject()
                .put("system", "Linux " + System.getProperty("os.version", ""))
                .put("cpu", device.processor)
                .put("architecture", System.getProperty("os.arch", ""))
                .put("logical_cores", device.cores)
                .put("memory_bytes", device.memoryBytes)
                .put("governor", device.governor)
                .put("flags", flags)
                .put("load_1min", 0.0) // Android tells no app
                .put("python", "")
                .put("board", device.model)
                .put("distribution", "Android " + device.android)
                .put("bits", 64)
                .put("libc", "bionic API " + device.api)
                .put("android_api", device.api)
                .put("cores", cores())
                .put("emulated", device.emulated);
    }

    private JSONArray cores() throws JSONException {
        List<Double> clocks = device.clocks();
        JSONArray kinds = new JSONArray();
        for (int i = 0; i < clocks.size() && i < 3; i++) {
            JSONArray cpus = new JSONArray();
            for (Map.Entry<Integer, Double> core : device.maxMhz.entrySet()) {
                boolean slower = i == 2 && core.getValue() < clocks.get(i); // a fourth kind has no name
                if (core.getValue().equals(clocks.get(i)) || slower) {
                    cpus.put((int) core.getKey());
                }
            }
            String[] names = {"big", clocks.size() == 2 ? "little" : "middle", "little"};
            String name = clocks.size() == 1 ? "all" : names[i];
            kinds.put(new JSONObject().put("name", name).put("cpus", cpus).put("max_mhz", (double) clocks.get(i)));
        }
        return kinds;
    }

    private JSONObject measurement(Cell cell) throws JSONException {
        ModelEntry.Form form = cell.entry.forms.get(cell.engine);
        double[] latencies = cell.latenciesMs();
        List<Turn> turns = cell.turns();
        JSONArray all = new JSONArray();
        for (double latency : latencies) {
            all.put(latency);
        }
        double loadMs = 0;
        double firstMs = 0;
        int warmups = 0;
        boolean throttled = false;
        JSONArray rounds = new JSONArray();
        for (Turn turn : turns) {
            loadMs += turn.loadMs / turns.size();
            firstMs += turn.firstMs / turns.size();
            warmups += turn.warmupRuns;
            throttled |= turn.before.throttled() || turn.after.throttled();
            rounds.put(round(turn));
        }
        boolean binary = cell.engine == Engine.BINARY;
        JSONObject result = new JSONObject()
                .put("engine", cell.engine.recordName)
                .put("engine_version", binary ? results.version : "tensorflow-lite " + turns.get(0).runtimeVersion)
                .put("kernel", binary ? results.kernel : "xnnpack")
                .put("threads", cell.threads)
                .put("cores", "")
                .put("file", fileName(cell, cell.engine))
                .put("file_bytes", form.bytes)
                .put("file_sha256", form.sha256)
                .put("graph_sha256", form.graphSha256)
                .put("warmup_runs", warmups)
                .put("runs", latencies.length)
                .put("latencies_ms", all)
                .put("median_ms", Statistics.median(latencies))
                .put("p90_ms", Statistics.quantile(latencies, 0.9))
                .put("p99_ms", Statistics.quantile(latencies, 0.99))
                .put("min_ms", Statistics.quantile(latencies, 0))
                .put("load_ms", loadMs)
                .put("first_ms", firstMs)
                .put("peak_memory_bytes", results.peakMemoryBytes)
                .put("rounds", rounds)
                .put("throttled", throttled);
        Parity parity = cell.besideFloat();
        if (parity != null && !Double.isInfinite(parity.largestDifference)) {
            result.put(
                    "parity",
                    new JSONObject()
                            .put("reference", fileName(cell, Engine.FLOAT))
                            .put("inputs", "the file's reference inputs")
                            .put("samples", parity.samples)
                            .put("largest_difference", parity.largestDifference)
                            .put("top1_agreement", parity.agreement));
        }
        return result;
    }

    /** As a run folder has it: model.tflite with model_float.tflite beside it, and the int8 form as a file of its own. */
    private static String fileName(Cell cell, Engine engine) {
        String stem = cell.entry.own() ? cell.entry.title.replaceAll("\\.tflite$", "") : cell.entry.id;
        return stem + (engine == Engine.BINARY ? "" : "_" + engine.form) + ".tflite";
    }

    private static JSONObject round(Turn turn) throws JSONException {
        return new JSONObject()
                .put("runs", turn.latenciesMs.length)
                .put("median_ms", Statistics.median(turn.latenciesMs))
                .put("load_ms", turn.loadMs)
                .put("first_ms", turn.firstMs)
                .put("before", condition(turn.before))
                .put("after", condition(turn.after));
    }

    private static JSONObject condition(Condition condition) throws JSONException {
        JSONObject result = new JSONObject();
        if (!Double.isNaN(condition.batteryC)) {
            result.put("temperature_c", condition.batteryC);
        }
        if (condition.thermalStatus != Condition.UNKNOWN) {
            JSONArray causes = new JSONArray();
            if (condition.throttled()) {
                causes.put("Android's thermal status " + condition.thermalStatus);
            }
            result.put("throttled", causes);
        }
        return result;
    }
}
