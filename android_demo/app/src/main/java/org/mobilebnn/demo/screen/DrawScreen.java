package org.mobilebnn.demo.screen;

import android.graphics.Bitmap;
import android.graphics.drawable.BitmapDrawable;
import android.os.Bundle;
import android.view.View;
import android.widget.ImageView;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.mobilebnn.Classification;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.demo.MainActivity;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.draw.DrawStyle;
import org.mobilebnn.demo.draw.Raster;
import org.mobilebnn.demo.draw.Stroke;
import org.mobilebnn.demo.network.LiveClassifier;
import org.mobilebnn.demo.view.DrawingView;
import org.mobilebnn.demo.view.Numbers;

/** A finger draws, and the network says what it is, while the finger moves. */
public final class DrawScreen extends ClassifierScreen {
    private static final int MOST_CLASSES = 12; // bars that can be read

    private DrawingView canvas;
    private ImageView seen;
    private DrawStyle style;
    private int height;
    private int width;
    private List<String> labels = Collections.emptyList();
    private Bundle drawing = new Bundle();

    /** The screen of an activity. */
    public DrawScreen(MainActivity activity) {
        super(activity);
    }

    @Override
    void create(Bundle state) {
        drawing = state;
        build();
    }

    private void build() {
        View view = build(R.layout.draw);
        canvas = view.findViewById(R.id.canvas);
        seen = view.findViewById(R.id.seen);
        view.findViewById(R.id.clear).setOnClickListener(clicked -> canvas.clear());
        view.findViewById(R.id.undo).setOnClickListener(clicked -> canvas.undo());
        canvas.setListener(this::onDrawing);
        canvas.restore(drawing);
        showNothing();
    }

    @Override
    public void save(Bundle state) {
        canvas.save(state);
    }

    @Override
    public void start() {
        open();
    }

    @Override
    public void onModelChosen() {
        drawing = new Bundle();
        canvas.save(drawing);
        stop();
        build();
        open();
    }

    @Override
    public void onOpened(int newHeight, int newWidth, ModelMetadata metadata) {
        height = newHeight;
        width = newWidth;
        labels = metadata.labels;
        style = DrawStyle.of(metadata.dataset);
        hint.setText(hintOf(style.subject));
        onDrawing(canvas.strokes());
    }

    private static int hintOf(DrawStyle.Subject subject) {
        switch (subject) {
            case DIGIT:
                return R.string.draw_hint_digit;
            case GARMENT:
                return R.string.draw_hint_garment;
            default:
                return R.string.draw_hint_any;
        }
    }

    private void onDrawing(List<Stroke> strokes) {
        hint.setVisibility(strokes.isEmpty() ? View.VISIBLE : View.GONE);
        if (strokes.isEmpty()) {
            showNothing();
        }
        LiveClassifier running = running();
        DrawStyle drawn = style;
        if (running != null && drawn != null && !strokes.isEmpty()) {
            running.submit(() -> Raster.of(strokes, width, height, drawn));
        }
    }

    private void showNothing() {
        showNoPrediction();
        bars.showNames(labels.size() <= MOST_CLASSES ? labels : Collections.emptyList());
        seen.setImageDrawable(null);
        seen.setVisibility(View.INVISIBLE);
    }

    @Override
    public void onNamed(Bitmap picture, List<Classification> classes, double milliseconds) {
        if (canvas.isEmpty()) {
            return; // it was cleared meanwhile
        }
        showPrediction(classes.get(0), Numbers.latency(activity, milliseconds));
        bars.show(inOrder(classes));
        BitmapDrawable pixels = new BitmapDrawable(activity.getResources(), picture);
        pixels.setFilterBitmap(false);
        seen.setImageDrawable(pixels);
        seen.setVisibility(View.VISIBLE);
    }

    /** In the order of the outputs, so that bars stay where they are; of very many classes the best. */
    private static List<Classification> inOrder(List<Classification> classes) {
        List<Classification> shown = new ArrayList<>(classes.subList(0, Math.min(classes.size(), MOST_CLASSES)));
        if (classes.size() <= MOST_CLASSES) {
            shown.sort((a, b) -> Integer.compare(a.index, b.index));
        }
        return shown;
    }
}
