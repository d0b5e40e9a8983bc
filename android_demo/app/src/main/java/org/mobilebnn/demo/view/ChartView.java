package org.mobilebnn.demo.view;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Typeface;
import android.text.TextPaint;
import android.util.AttributeSet;
import android.view.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.mobilebnn.demo.R;

/** Latencies as bars in groups: the median, and a whisker to the time that 90 of 100 runs stay below. */
public final class ChartView extends View {
    /** One bar. */
    public static final class Bar {
        final String group;
        final String label;
        final double median;
        final double p90;
        final String value;
        final int color;

        /**
         * A bar.
         *
         * @param group what the bars beside it have in common; is shown once above them
         * @param label what it is of
         * @param median in any unit, as the others
         * @param p90 likewise, not below the median
         * @param value the median as people write it
         * @param color opaque
         */
        public Bar(String group, String label, double median, double p90, String value, int color) {
            this.group = group;
            this.label = label;
            this.median = median;
            this.p90 = p90;
            this.value = value;
            this.color = color;
        }
    }

    private static final float ROW_DP = 28;
    private static final float HEADING_DP = 28;
    private static final float BAR_DP = 16;
    /** Of the longest bar: a longer whisker is cut, so that one disturbed run does not make all bars short. */
    private static final double MARGIN = 1.25;

    private final TextPaint text = new TextPaint(Paint.ANTI_ALIAS_FLAG);
    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final float dp;
    private List<Bar> bars = Collections.emptyList();

    /** As the layout inflater makes it. */
    public ChartView(Context context, AttributeSet attributes) {
        super(context, attributes);
        dp = context.getResources().getDisplayMetrics().density;
        text.setFontFeatureSettings("tnum");
    }

    /** Shows bars, those of a group after each other. */
    public void show(List<Bar> shown) {
        bars = new ArrayList<>(shown);
        requestLayout();
        invalidate();
    }

    private float fontScale() {
        return Math.max(1, getResources().getConfiguration().fontScale);
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        float height = 0;
        String group = null;
        for (Bar bar : bars) {
            height += bar.group.equals(group) ? 0 : HEADING_DP;
            group = bar.group;
            height += ROW_DP;
        }
        int wanted = Math.round(height * dp * fontScale());
        setMeasuredDimension(MeasureSpec.getSize(widthSpec), resolveSize(wanted, heightSpec));
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        double most = 0;
        float labels = 0;
        float values = 0;
        text.setTextSize(getResources().getDimension(R.dimen.text_small));
        for (Bar bar : bars) {
            most = Math.max(most, MARGIN * bar.median);
            labels = Math.max(labels, text.measureText(bar.label));
            values = Math.max(values, text.measureText(bar.value));
        }
        float y = 0;
        float scale = fontScale();
        String group = null;
        for (Bar bar : bars) {
            if (!bar.group.equals(group)) {
                group = bar.group;
                heading(canvas, group, y, HEADING_DP * dp * scale);
                y += HEADING_DP * dp * scale;
            }
            float start = labels + 12 * dp;
            float room = getWidth() - start - values - 12 * dp;
            row(canvas, bar, y, ROW_DP * dp * scale, start, room, most > 0 ? room / (float) most : 0);
            y += ROW_DP * dp * scale;
        }
    }

    private void heading(Canvas canvas, String title, float top, float height) {
        text.setTypeface(Typeface.create("sans-serif-medium", Typeface.NORMAL));
        text.setTextSize(getResources().getDimension(R.dimen.text_tiny));
        text.setColor(getContext().getColor(R.color.ink_soft));
        new Reading(this, canvas).textFrom(0, top + height - 8 * dp, title, text);
        text.setTextSize(getResources().getDimension(R.dimen.text_small));
        text.setTypeface(Typeface.create("sans-serif", Typeface.NORMAL));
    }

    private void row(Canvas canvas, Bar bar, float top, float height, float start, float room, float scale) {
        Reading reading = new Reading(this, canvas);
        float middle = top + height / 2;
        float baseline = middle - (text.ascent() + text.descent()) / 2;
        float half = BAR_DP * dp / 2;
        float end = start + Math.max(2 * dp, (float) bar.median * scale);
        float whisker = start + Math.min(room, (float) bar.p90 * scale);
        text.setColor(getContext().getColor(R.color.ink_soft));
        reading.textFrom(0, baseline, bar.label, text);
        paint.setColor(bar.color);
        reading.bar(start, end, middle - half, 2 * half, 4 * dp, paint);
        paint.setColor(getContext().getColor(R.color.ink));
        paint.setStrokeWidth(1.5f * dp);
        if (whisker > end + 2 * dp) {
            reading.line(end, middle, whisker, middle, paint);
            if (whisker < start + room) {
                reading.line(whisker, middle - half / 2, whisker, middle + half / 2, paint);
            }
        }
        text.setColor(getContext().getColor(R.color.ink));
        reading.textFrom(Math.max(end, whisker) + 8 * dp, baseline, bar.value, text);
    }
}
