package org.mobilebnn.demo.screen;

import android.app.Activity;
import android.graphics.drawable.Drawable;
import android.text.TextUtils;
import android.text.format.Formatter;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.benchmark.Cell;
import org.mobilebnn.demo.benchmark.Condition;
import org.mobilebnn.demo.benchmark.DeviceFacts;
import org.mobilebnn.demo.benchmark.Parity;
import org.mobilebnn.demo.benchmark.Results;
import org.mobilebnn.demo.network.Engine;
import org.mobilebnn.demo.network.ModelEntry;
import org.mobilebnn.demo.view.ChartView;
import org.mobilebnn.demo.view.Numbers;

/** Shows results: a card for each network, one for the phone's condition, one for the phone. */
final class ResultCards {
    private static final int[] THERMAL = {
        R.string.thermal_none, R.string.thermal_light, R.string.thermal_moderate, R.string.thermal_severe,
        R.string.thermal_critical, R.string.thermal_emergency, R.string.thermal_shutdown,
    };

    private final Activity activity;
    private final ViewGroup parent;

    ResultCards(Activity activity, ViewGroup parent) {
        this.activity = activity;
        this.parent = parent;
    }

    /** A card for each network that had its turn. */
    void showNetworks(List<Cell> cells) {
        Map<ModelEntry, List<Cell>> byNetwork = new LinkedHashMap<>();
        for (Cell cell : cells) {
            if (cell.answered()) {
                byNetwork.computeIfAbsent(cell.entry, entry -> new ArrayList<>()).add(cell);
            }
        }
        for (Map.Entry<ModelEntry, List<Cell>> each : byNetwork.entrySet()) {
            showNetwork(each.getKey(), each.getValue());
        }
    }

    private void showNetwork(ModelEntry entry, List<Cell> cells) {
        View card = inflate(R.layout.result_network);
        card.<TextView>findViewById(R.id.network).setText(entry.fullTitle());
        card.<TextView>findViewById(R.id.size).setText(sizes(entry));
        showBars(card.findViewById(R.id.chart), entry, cells);
        showParity(card.findViewById(R.id.parity), cells);
        line(card.findViewById(R.id.faster), speedUps(cells));
        line(card.findViewById(R.id.failures), failures(cells));
        if (cells.stream().noneMatch(Cell::measured)) {
            card.findViewById(R.id.measured).setVisibility(View.GONE);
        }
    }

    /** What could not be measured, by why: one reason is often that of many. */
    private String failures(List<Cell> cells) {
        Map<String, List<String>> byReason = new LinkedHashMap<>();
        for (Cell cell : cells) {
            if (cell.failure() != null) {
                byReason.computeIfAbsent(cell.failure(), reason -> new ArrayList<>()).add(name(cell));
            }
        }
        List<String> lines = new ArrayList<>();
        byReason.forEach((reason, names) ->
                lines.add(activity.getString(R.string.bench_failed, TextUtils.join("; ", names), reason)));
        return TextUtils.join("\n", lines);
    }

    private void showBars(ChartView chart, ModelEntry entry, List<Cell> cells) {
        List<ChartView.Bar> bars = new ArrayList<>();
        List<String> spoken = new ArrayList<>();
        for (Cell cell : cells) {
            if (cell.measured()) {
                String median = Numbers.significant(activity, cell.medianMs());
                String label = activity.getString(cell.engine.title);
                String value = activity.getString(R.string.latency, median);
                int color = activity.getColor(cell.engine.color);
                bars.add(new ChartView.Bar(threads(cell), label, cell.medianMs(), cell.p90Ms(), value, color));
                spoken.add(activity.getString(
                        R.string.bench_bar_spoken, label, threads(cell), median, Numbers.significant(activity, cell.p90Ms())));
            }
        }
        chart.show(bars);
        chart.setContentDescription(
                activity.getString(R.string.bench_chart, entry.fullTitle(), TextUtils.join("; ", spoken)));
    }

    private void showParity(TextView badge, List<Cell> cells) {
        Parity parity = null;
        for (Cell cell : cells) {
            parity = cell.engine == Engine.BINARY && parity == null ? cell.parity() : parity;
        }
        int color = R.color.ink_soft;
        int icon = R.drawable.ic_warning;
        if (parity == null) {
            badge.setText(R.string.parity_none);
            icon = 0;
        } else if (parity.equal) {
            badge.setText(R.string.parity_equal);
            badge.setContentDescription(activity.getString(R.string.parity_equal_spoken));
            color = R.color.good;
            icon = R.drawable.ic_check;
        } else if (parity.agreement == 1 && parity.largestDifference < 1e-3) {
            badge.setText(activity.getString(R.string.parity_close, Numbers.scientific(parity.largestDifference)));
        } else {
            badge.setText(R.string.parity_wrong);
            color = R.color.bad;
        }
        badge.setTextColor(activity.getColor(color));
        Drawable drawable = icon == 0 ? null : activity.getDrawable(icon);
        if (drawable != null) {
            drawable.setTint(activity.getColor(color));
        }
        badge.setCompoundDrawablesRelativeWithIntrinsicBounds(drawable, null, null, null);
    }

    /** With the fewest threads that all of them were measured with. */
    private String speedUps(List<Cell> cells) {
        List<String> lines = new ArrayList<>();
        Cell binary = null;
        for (Cell cell : cells) {
            binary = binary == null && cell.engine == Engine.BINARY && cell.measured() ? cell : binary;
        }
        for (Cell cell : cells) {
            if (binary == null || !cell.measured() || cell.threads != binary.threads || cell.engine == Engine.BINARY) {
                continue;
            }
            double ratio = cell.medianMs() / binary.medianMs();
            int text = cell.engine == Engine.FLOAT ? R.string.bench_faster_float : R.string.bench_faster_int8;
            lines.add(activity.getString(text, Numbers.fixed(activity, ratio, 1)));
        }
        return TextUtils.join("\n", lines);
    }

    private String sizes(ModelEntry entry) {
        String binary = Formatter.formatShortFileSize(activity, entry.forms.get(Engine.BINARY).bytes);
        ModelEntry.Form twin = entry.forms.get(Engine.FLOAT);
        if (twin == null) {
            return binary;
        }
        return activity.getString(R.string.bench_size, binary, Formatter.formatShortFileSize(activity, twin.bytes));
    }

    /** When it was measured, and what the phone's heat and battery were before and after. */
    void showCondition(Results results) {
        Condition before = results.before;
        Condition after = results.after;
        List<String> lines = new ArrayList<>();
        lines.add(activity.getString(R.string.bench_measured, Numbers.moment(activity, results.ended)));
        boolean told = after.thermalStatus >= 0 && after.thermalStatus < THERMAL.length;
        int thermal = told ? THERMAL[after.thermalStatus] : R.string.thermal_unknown;
        lines.add(activity.getString(R.string.thermal, activity.getString(thermal)));
        if (after.batteryPercent < 0 || before.batteryPercent < 0) {
            lines.add(activity.getString(R.string.battery_unknown));
        } else {
            String degrees = Double.isNaN(after.batteryC) ? "?" : Numbers.significant(activity, after.batteryC);
            lines.add(activity.getString(R.string.battery_drop, before.batteryPercent, after.batteryPercent, degrees));
        }
        if (after.charging) {
            lines.add(activity.getString(R.string.battery_charging));
        }
        showLines(R.string.bench_condition, lines);
    }

    /** What the phone is. */
    void showDevice(DeviceFacts device, String kernel) {
        List<String> lines = new ArrayList<>();
        lines.add(activity.getString(R.string.device_model, device.model, device.android, device.api));
        lines.add(device.processor);
        double fastest = device.fastestGhz();
        lines.add(fastest > 0
                ? activity.getString(R.string.device_cores, device.cores, Numbers.significant(activity, fastest))
                : activity.getString(R.string.device_cores_only, device.cores));
        String memory = Formatter.formatShortFileSize(activity, device.memoryBytes);
        lines.add(activity.getString(R.string.device_memory, memory));
        lines.add(activity.getString(R.string.device_kernel, kernel));
        showLines(R.string.bench_device, lines);
    }

    private void showLines(int title, List<String> lines) {
        View card = inflate(R.layout.result_lines);
        card.<TextView>findViewById(R.id.heading).setText(title);
        card.<TextView>findViewById(R.id.lines).setText(TextUtils.join("\n", lines));
    }

    private View inflate(int layout) {
        View card = activity.getLayoutInflater().inflate(layout, parent, false);
        parent.addView(card);
        return card;
    }

    private String name(Cell cell) {
        return activity.getString(
                R.string.bench_step, cell.entry.title, activity.getString(cell.engine.title), threads(cell));
    }

    private String threads(Cell cell) {
        return activity.getResources().getQuantityString(R.plurals.threads, cell.threads, cell.threads);
    }

    private static void line(TextView view, String text) {
        view.setText(text);
        view.setVisibility(text.isEmpty() ? View.GONE : View.VISIBLE);
    }
}
