package org.mobilebnn.demo;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.os.Bundle;
import android.view.View;
import android.view.ViewGroup;
import android.widget.ImageView;
import android.widget.ProgressBar;
import android.widget.TextView;
import android.widget.Toast;
import java.util.List;
import org.mobilebnn.demo.benchmark.Benchmark;
import org.mobilebnn.demo.network.Adoption;
import org.mobilebnn.demo.network.FileProblem;
import org.mobilebnn.demo.network.LiveClassifier;
import org.mobilebnn.demo.network.ModelEntry;
import org.mobilebnn.demo.network.ModelStore;
import org.mobilebnn.demo.network.NetworkOpener;
import org.mobilebnn.demo.screen.BenchmarkScreen;
import org.mobilebnn.demo.screen.CameraScreen;
import org.mobilebnn.demo.screen.DrawScreen;
import org.mobilebnn.demo.screen.Problem;
import org.mobilebnn.demo.screen.Screen;

/** The window: navigation, the choice of a network, and one screen at a time. */
public final class MainActivity extends Activity implements Adoption.Listener {
    /** What another app is asked for. */
    public static final int OPEN_NETWORK = 1;
    /** See {@link #OPEN_NETWORK}. */
    public static final int OPEN_PICTURE = 2;

    private static final int ASK_CAMERA = 1;

    private Bundle states = new Bundle();
    private Destination shown = Destination.DRAW;
    private Screen screen;
    private boolean started;
    private AlertDialog choosing;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        EdgeToEdge.apply(this);
        if (state != null) {
            shown = Destination.valueOf(state.getString("shown"));
            states = state.getBundle("screens");
        }
        for (Destination each : Destination.values()) {
            View button = findViewById(each.id);
            button.<ImageView>findViewById(R.id.destination_icon).setImageResource(each.icon);
            button.<TextView>findViewById(R.id.destination_title).setText(each.title);
            button.setOnClickListener(clicked -> navigate(each));
        }
        findViewById(R.id.model).setOnClickListener(clicked -> chooseModel());
        findViewById(R.id.open).setOnClickListener(clicked -> openFile());
        show(shown);
    }

    @Override
    protected void onStart() {
        super.onStart();
        started = true;
        screen.start();
        application().adoption().setListener(this);
    }

    @Override
    protected void onStop() {
        started = false;
        application().adoption().setListener(null);
        screen.stop();
        super.onStop();
    }

    @Override
    protected void onDestroy() {
        if (choosing != null) {
            choosing.dismiss(); // a dialog does not outlive its window
        }
        super.onDestroy();
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        keepState();
        state.putString("shown", shown.name());
        state.putBundle("screens", states);
    }

    /** The networks that can be chosen. */
    public ModelStore store() {
        return application().store();
    }

    /** What runs them. */
    public NetworkOpener opener() {
        return application().opener();
    }

    /** How long the benchmark takes. */
    public Benchmark.Effort effort() {
        return application().effort();
    }

    private DemoApplication application() {
        return (DemoApplication) getApplication();
    }

    private void navigate(Destination to) {
        if (to == shown) {
            return;
        }
        keepState();
        screen.stop();
        show(to);
        if (started) {
            screen.start();
        }
    }

    private void keepState() {
        Bundle state = new Bundle();
        screen.save(state);
        states.putBundle(shown.name(), state);
    }

    private void show(Destination to) {
        shown = to;
        for (Destination each : Destination.values()) {
            findViewById(each.id).setSelected(each == to);
        }
        showModel();
        screen = newScreen(to);
        this.<TextView>findViewById(R.id.title).setText(to.title);
        findViewById(R.id.model).setVisibility(to == Destination.BENCHMARK ? View.GONE : View.VISIBLE);
        Bundle state = states.getBundle(to.name());
        screen.show(this.<ViewGroup>findViewById(R.id.content), state == null ? new Bundle() : state);
    }

    private Screen newScreen(Destination to) {
        switch (to) {
            case CAMERA:
                return new CameraScreen(this);
            case BENCHMARK:
                return new BenchmarkScreen(this, application().benchmark());
            default:
                return new DrawScreen(this);
        }
    }

    private void showModel() {
        ModelEntry chosen = store().chosen();
        String title = chosen == null ? getString(R.string.no_model_chosen) : chosen.fullTitle();
        TextView button = findViewById(R.id.model);
        button.setText(title);
        button.setContentDescription(getString(R.string.choose_model, title));
    }

    /** Lets the user choose a network. */
    public void chooseModel() {
        List<ModelEntry> entries = store().entries();
        entries.removeIf(entry -> !entry.classifier);
        ModelEntry chosen = store().chosen();
        CharSequence[] titles = new CharSequence[entries.size()];
        int at = -1;
        for (int i = 0; i < titles.length; i++) {
            ModelEntry entry = entries.get(i);
            titles[i] = entry.own() ? getString(R.string.own_file, entry.title) : entry.fullTitle();
            at = chosen != null && entry.id.equals(chosen.id) ? i : at;
        }
        choosing = new AlertDialog.Builder(this)
                .setTitle(R.string.choose_model_title)
                .setSingleChoiceItems(
                        titles,
                        at,
                        (dialog, which) -> {
                            dialog.dismiss();
                            choose(entries.get(which));
                        })
                .setNeutralButton(R.string.open_file, (dialog, which) -> openFile())
                .show();
    }

    private void choose(ModelEntry entry) {
        store().choose(entry);
        showModel();
        screen.onModelChosen();
    }

    /** Lets the user open a network of their own. */
    public void openFile() {
        ask(Intent.ACTION_OPEN_DOCUMENT, "*/*", OPEN_NETWORK);
    }

    /** Lets the user choose a picture; the screen gets it. */
    public void openPicture() {
        ask(Intent.ACTION_OPEN_DOCUMENT, "image/*", OPEN_PICTURE);
    }

    private void ask(String action, String type, int request) {
        Intent intent = new Intent(action).addCategory(Intent.CATEGORY_OPENABLE).setType(type);
        try {
            startActivityForResult(intent, request);
        } catch (ActivityNotFoundException none) {
            Toast.makeText(this, R.string.error_no_documents, Toast.LENGTH_LONG).show();
        }
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        super.onActivityResult(request, result, data);
        if (result != RESULT_OK || data == null || data.getData() == null) {
            return;
        }
        if (request == OPEN_NETWORK) {
            application().adoption().start(data.getData());
        } else {
            screen.onResult(request, data);
        }
    }

    @Override
    public void onAdopted(ModelEntry entry) {
        choose(entry);
    }

    @Override
    public void onRefused(FileProblem why) {
        screen.showProblem(Problem.of(this, why.file, why)
                .action(getString(R.string.error_open_other), this::openFile)
                .second(getString(R.string.error_back), this::again));
    }

    @Override
    public void onCopying(String name, int percent) {
        findViewById(R.id.opening).setVisibility(name == null ? View.GONE : View.VISIBLE);
        this.<TextView>findViewById(R.id.opening_text).setText(name == null ? "" : getString(R.string.opening, name));
        ProgressBar progress = findViewById(R.id.opening_progress);
        progress.setIndeterminate(percent < 0);
        progress.setProgress(Math.max(0, percent));
    }

    /** Why the chosen network does not run, with what the user can do. A broken file of the user's is forgotten. */
    public Problem problemOfChosen(Throwable why) {
        ModelEntry entry = store().chosen();
        Problem problem = Problem.of(this, entry == null ? "" : entry.title, why);
        if (entry != null && entry.own() && Problem.isOfFile(why)) {
            store().forgetOwn();
            showModel();
            return problem.action(getString(R.string.error_open_other), this::openFile)
                    .second(getString(R.string.error_back), this::again);
        }
        if (why instanceof LiveClassifier.NotAClassifier || why instanceof LiveClassifier.NoMetadata) {
            return problem.action(getString(R.string.error_other_network), this::chooseModel)
                    .second(getString(R.string.error_open_other), this::openFile); // trying again would not help
        }
        return problem.action(getString(R.string.error_other_network), this::chooseModel)
                .second(getString(R.string.error_try_again), this::again);
    }

    /** Shows the screen anew. */
    private void again() {
        showModel();
        screen.onModelChosen();
    }

    /** Whether the camera may be used. */
    public boolean mayUseCamera() {
        return checkSelfPermission(android.Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED;
    }

    /** Asks the user for the camera; the screen gets the answer. */
    public void askForCamera() {
        requestPermissions(new String[] {android.Manifest.permission.CAMERA}, ASK_CAMERA);
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] results) {
        super.onRequestPermissionsResult(request, permissions, results);
        screen.onPermission(mayUseCamera());
    }
}
