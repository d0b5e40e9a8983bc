package org.mobilebnn.demo.screen;

import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.CheckBox;
import android.widget.ProgressBar;
import android.widget.TextView;
import android.widget.Toast;
import java.io.IOException;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.mobilebnn.demo.MainActivity;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.benchmark.Benchmark;
import org.mobilebnn.demo.benchmark.BenchmarkSession;
import org.mobilebnn.demo.benchmark.Cell;
import org.mobilebnn.demo.benchmark.DeviceFacts;
import org.mobilebnn.demo.benchmark.Results;
import org.mobilebnn.demo.export.ExportProvider;
import org.mobilebnn.demo.export.ProfileRecord;
import org.mobilebnn.demo.network.ModelEntry;

/** Networks by engines and threads, side by side; the results as a chart, and as a record to share. */
public final class BenchmarkScreen extends Screen implements BenchmarkSession.Listener {
    private static final List<Integer> THREADS = Arrays.asList(1, 2, 4);

    private final BenchmarkSession session;
    private final DeviceFacts device;
    private final List<String> chosenNetworks = new ArrayList<>();
    private final List<Integer> chosenThreads = new ArrayList<>();
    private Button start;
    private ProgressBar progress;
    private TextView step;
    private ViewGroup results;
    private View share;

    /** The screen of an activity, for a session that outlives it. */
    public BenchmarkScreen(MainActivity activity, BenchmarkSession session) {
        super(activity);
        this.session = session;
        device = new DeviceFacts(activity);
    }

    @Override
    void create(Bundle state) {
        ArrayList<String> networks = state.getStringArrayList("networks");
        ArrayList<Integer> threads = state.getIntegerArrayList("threads");
        for (ModelEntry entry : activity.store().entries()) {
            if (networks == null || networks.contains(entry.id)) {
                chosenNetworks.add(entry.id);
            }
        }
        chosenThreads.addAll(threads == null ? THREADS : threads);
        build();
    }

    @Override
    public void save(Bundle state) {
        state.putStringArrayList("networks", new ArrayList<>(chosenNetworks));
        state.putIntegerArrayList("threads", new ArrayList<>(chosenThreads));
    }

    private void build() {
        if (activity.store().entries().isEmpty()) {
            showProblem(Problem.noModel(activity).action(activity.getString(R.string.open_file), activity::openFile));
            return;
        }
        View view = inflate(R.layout.benchmark);
        start = view.findViewById(R.id.start);
        progress = view.findViewById(R.id.progress);
        step = view.findViewById(R.id.step);
        results = view.findViewById(R.id.results);
        share = view.findViewById(R.id.share);
        for (ModelEntry entry : activity.store().entries()) {
            chip(view.findViewById(R.id.networks), entry.fullTitle(), entry.id, chosenNetworks);
        }
        for (Integer count : THREADS) {
            chip(view.findViewById(R.id.threads), String.format("%d", count), count, chosenThreads);
        }
        start.setOnClickListener(clicked -> startOrStop());
        share.setOnClickListener(clicked -> share());
        onChanged();
    }

    private <T> void chip(ViewGroup group, String title, T value, List<T> chosen) {
        CheckBox chip = (CheckBox) activity.getLayoutInflater().inflate(R.layout.chip, group, false);
        chip.setText(title);
        chip.setChecked(chosen.contains(value));
        chip.setOnCheckedChangeListener((button, checked) -> {
            chosen.remove(value);
            if (checked) {
                chosen.add(value);
            }
            showState();
        });
        group.addView(chip);
    }

    @Override
    public void start() {
        session.setListener(this);
        if (results != null) {
            onChanged();
        }
    }

    @Override
    public void stop() {
        session.setListener(null);
    }

    @Override
    public void onModelChosen() { // a file was opened: it is what the user wants to measure
        ModelEntry chosen = activity.store().chosen();
        if (chosen != null && !chosenNetworks.contains(chosen.id)) {
            chosenNetworks.add(chosen.id);
        }
        build();
    }

    private void startOrStop() {
        if (session.running()) {
            session.stop();
            return;
        }
        List<ModelEntry> entries = new ArrayList<>();
        for (ModelEntry entry : activity.store().entries()) {
            if (chosenNetworks.contains(entry.id)) {
                entries.add(entry);
            }
        }
        List<Integer> threads = new ArrayList<>(THREADS);
        threads.retainAll(chosenThreads);
        session.start(Benchmark.cells(entries, threads), activity.effort());
    }

    @Override
    public void onChanged() {
        showState();
        Results measured = session.results();
        boolean shareable = measured != null && measured.measured();
        share.setVisibility(shareable ? View.VISIBLE : View.GONE);
        results.removeAllViews();
        ResultCards cards = new ResultCards(activity, results);
        if (measured != null) {
            cards.showNetworks(measured.cells);
        }
        if (shareable) {
            cards.showCondition(measured);
        }
        cards.showDevice(device, activity.opener().kernel());
    }

    private void showState() {
        boolean running = session.running();
        start.setText(running ? R.string.bench_stop : R.string.bench_start);
        start.setEnabled(running || (!chosenNetworks.isEmpty() && !chosenThreads.isEmpty()));
        progress.setVisibility(running ? View.VISIBLE : View.GONE);
        step.setVisibility(running ? View.VISIBLE : View.GONE);
        progress.setProgress((int) Math.round(1000 * session.done()));
        Cell cell = session.current();
        if (cell != null) {
            String what = activity.getString(
                    R.string.bench_step, cell.entry.title, activity.getString(cell.engine.title), threads(cell.threads));
            step.setText(activity.getString(R.string.bench_progress, session.round() + 1, activity.effort().rounds(), what));
        } else {
            step.setText("");
        }
    }

    private String threads(int count) {
        return activity.getResources().getQuantityString(R.plurals.threads, count, count);
    }

    private void share() {
        Results measured = session.results();
        String record = new ProfileRecord(device, measured).json();
        String time = new SimpleDateFormat("yyyy-MM-dd-HH-mm-ss", Locale.ROOT).format(measured.ended);
        Uri uri;
        try {
            uri = ExportProvider.write(activity, "mobile_bnn-" + time + ".json", record);
        } catch (IOException full) {
            Toast.makeText(activity, R.string.error_no_room_record, Toast.LENGTH_LONG).show();
            return;
        }
        try {
            Intent send = new Intent(Intent.ACTION_SEND)
                    .setType("application/json")
                    .putExtra(Intent.EXTRA_STREAM, uri)
                    .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
            send.setClipData(ClipData.newRawUri("", uri)); // which the permission goes with
            activity.startActivity(Intent.createChooser(send, activity.getString(R.string.bench_share)));
        } catch (ActivityNotFoundException none) {
            Toast.makeText(activity, R.string.error_no_share, Toast.LENGTH_LONG).show();
        }
    }
}
