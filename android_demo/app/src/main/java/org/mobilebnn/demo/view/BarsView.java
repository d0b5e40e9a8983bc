package org.mobilebnn.demo.view;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Typeface;
import android.text.TextPaint;
import android.text.TextUtils;
import android.util.AttributeSet;
import android.view.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.mobilebnn.Classification;
import org.mobilebnn.demo.R;

/** A bar for each class: its name, its probability, the most probable one in the accent. */
public final class BarsView extends View {
    private static final int HIGHEST_ROW_DP = 40;
    private static final int SHARE_WIDTH_DP = 48;

    private final TextPaint text = new TextPaint(Paint.ANTI_ALIAS_FLAG);
    private final Paint bar = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final float dp;
    private List<Classification> classes = Collections.emptyList();
    private List<String> unknown = Collections.emptyList();

    /** As the layout inflater makes it. */
    public BarsView(Context context, AttributeSet attributes) {
        super(context, attributes);
        dp = context.getResources().getDisplayMetrics().density;
        text.setTypeface(Typeface.create("sans-serif", Typeface.NORMAL));
        text.setFontFeatureSettings("tnum");
    }

    /**
     * Shows classes, in this order.
     *
     * @param shown with scores 0 to 1; empty for none
     */
    public void show(List<Classification> shown) {
        classes = new ArrayList<>(shown);
        unknown = Collections.emptyList();
        List<String> spoken = new ArrayList<>();
        for (Classification each : best(classes, 3)) {
            spoken.add(getContext().getString(R.string.class_share, each.label, Numbers.percent(getContext(), each.score)));
        }
        setContentDescription(
                spoken.isEmpty()
                        ? getContext().getString(R.string.prediction_none)
                        : getContext().getString(R.string.probabilities, TextUtils.join("; ", spoken)));
        invalidate();
    }

    /** Shows the names of classes alone: nothing is known yet. */
    public void showNames(List<String> names) {
        show(Collections.emptyList());
        unknown = new ArrayList<>(names);
    }

    private static List<Classification> best(List<Classification> classes, int count) {
        List<Classification> sorted = new ArrayList<>(classes);
        sorted.sort((a, b) -> Float.compare(b.score, a.score));
        return sorted.subList(0, Math.min(count, sorted.size()));
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        int rows = Math.max(classes.size(), unknown.size());
        if (rows == 0) {
            return;
        }
        float row = Math.min((float) getHeight() / rows, HIGHEST_ROW_DP * dp);
        float size = getResources().getDimension(R.dimen.text_small);
        text.setTextSize(Math.min(size, row * 0.72f));
        float labels = labelWidth();
        float shares = SHARE_WIDTH_DP * dp;
        float most = getWidth() - labels - shares - 12 * dp;
        for (int i = 0; i < unknown.size(); i++) {
            drawRow(canvas, unknown.get(i), Float.NaN, false, i * row, row, labels, most);
        }
        int winner = classes.isEmpty() ? -1 : best(classes, 1).get(0).index;
        for (int i = 0; i < classes.size(); i++) {
            Classification each = classes.get(i);
            drawRow(canvas, each.label, each.score, each.index == winner, i * row, row, labels, most);
        }
    }

    private void drawRow(
            Canvas canvas, String name, float share, boolean winner, float top, float row, float labels, float most) {
        boolean known = !Float.isNaN(share);
        float score = known ? Math.max(0, Math.min(1, share)) : 0;
        float height = Math.min(row * 0.44f, 12 * dp);
        float middle = top + row / 2;
        float baseline = middle - (text.ascent() + text.descent()) / 2;
        int ink = getContext().getColor(winner ? R.color.ink : R.color.ink_soft);
        text.setColor(ink);
        text.setTypeface(Typeface.create(winner ? "sans-serif-medium" : "sans-serif", Typeface.NORMAL));
        Reading reading = new Reading(this, canvas);
        CharSequence label = TextUtils.ellipsize(name, text, labels, TextUtils.TruncateAt.END);
        reading.textFrom(0, baseline, label.toString(), text);
        float start = labels + 12 * dp;
        bar.setColor(getContext().getColor(R.color.sunken));
        reading.bar(start, start + most, middle - height / 2, height, height / 2, bar);
        bar.setColor(getContext().getColor(winner ? R.color.accent : R.color.bar_float));
        float end = start + Math.max(most * score, score > 0.002f ? height : 0);
        reading.bar(start, end, middle - height / 2, height, height / 2, bar);
        if (known) {
            reading.textTo(getWidth(), baseline, Numbers.percent(getContext(), score), text);
        }
    }

    private float labelWidth() {
        float widest = 0;
        text.setTypeface(Typeface.create("sans-serif-medium", Typeface.NORMAL));
        for (Classification each : classes) {
            widest = Math.max(widest, text.measureText(each.label));
        }
        for (String each : unknown) {
            widest = Math.max(widest, text.measureText(each));
        }
        return Math.min(widest, getWidth() * 0.4f);
    }
}
