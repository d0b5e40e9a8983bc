package org.mobilebnn.demo.view;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.os.Bundle;
import android.util.AttributeSet;
import android.view.MotionEvent;
import android.view.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.draw.Raster;
import org.mobilebnn.demo.draw.Stroke;

/** A sheet that a finger draws on. */
public final class DrawingView extends View {
    /** Is told of every change, while the finger moves, too. */
    public interface Listener {
        /** The drawing has changed. */
        void onDrawing(List<Stroke> strokes);
    }

    private static final float PEN = 0.045f; // of the side
    private static final int MOST_STROKES = 256;
    private static final int MOST_POINTS = 1 << 15; // what is kept of a screen must be far below Android's 1 MB
    private static final float LEAST_STEP = 1 / 512f; // of the side: a finger moves less from one event to the next

    private final Paint paint;
    private final List<Stroke> strokes = new ArrayList<>();
    private Stroke current;
    private Listener listener;

    /** As the layout inflater makes it. */
    public DrawingView(Context context, AttributeSet attributes) {
        super(context, attributes);
        paint = Raster.pen(context.getColor(R.color.ink), 1);
    }

    /** Sets the listener for changes. */
    public void setListener(Listener newListener) {
        listener = newListener;
    }

    /** What is drawn: a copy of the list that does not change while another thread reads it. */
    public List<Stroke> strokes() {
        List<Stroke> copy = new ArrayList<>();
        for (Stroke stroke : strokes) {
            copy.add(new Stroke(stroke.points()));
        }
        return Collections.unmodifiableList(copy);
    }

    /** Whether nothing is drawn. */
    public boolean isEmpty() {
        return strokes.isEmpty();
    }

    /** Takes everything away. */
    public void clear() {
        strokes.clear();
        current = null;
        changed();
    }

    /** Takes the last stroke away. */
    public void undo() {
        if (!strokes.isEmpty()) {
            strokes.remove(strokes.size() - 1);
            current = null;
            changed();
        }
    }

    /** Puts the drawing into the state that a rotation keeps. */
    public void save(Bundle state) {
        ArrayList<Bundle> saved = new ArrayList<>();
        for (Stroke stroke : strokes) {
            Bundle one = new Bundle();
            one.putFloatArray("points", stroke.points());
            saved.add(one);
        }
        state.putParcelableArrayList("strokes", saved);
    }

    /** Draws again what {@link #save} kept. */
    public void restore(Bundle state) {
        ArrayList<Bundle> saved = state.getParcelableArrayList("strokes");
        strokes.clear();
        if (saved != null) {
            for (Bundle one : saved) {
                float[] points = one.getFloatArray("points");
                if (points != null) {
                    strokes.add(new Stroke(points));
                }
            }
        }
        changed();
    }

    private void changed() {
        invalidate();
        if (listener != null) {
            listener.onDrawing(strokes());
        }
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        paint.setStrokeWidth(PEN * getWidth());
        for (Stroke stroke : strokes) {
            canvas.drawPath(stroke.path(getWidth(), 0, 0), paint);
        }
    }

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        switch (event.getActionMasked()) {
            case MotionEvent.ACTION_DOWN:
                if (strokes.size() == MOST_STROKES || points() >= MOST_POINTS) {
                    return false;
                }
                getParent().requestDisallowInterceptTouchEvent(true);
                current = new Stroke();
                strokes.add(current);
                add(event.getX(), event.getY());
                break;
            case MotionEvent.ACTION_MOVE:
                for (int i = 0; i < event.getHistorySize(); i++) {
                    add(event.getHistoricalX(i), event.getHistoricalY(i));
                }
                add(event.getX(), event.getY());
                break;
            case MotionEvent.ACTION_UP:
                add(event.getX(), event.getY());
                current = null;
                performClick();
                break;
            case MotionEvent.ACTION_CANCEL:
                current = null;
                break;
            default:
                return true; // a second finger draws nothing
        }
        changed();
        return true;
    }

    private void add(float x, float y) {
        if (current != null && getWidth() > 0 && points() < MOST_POINTS) {
            float side = getWidth();
            current.add(Math.max(0, Math.min(1, x / side)), Math.max(0, Math.min(1, y / side)), LEAST_STEP);
        }
    }

    private int points() {
        int count = 0;
        for (Stroke stroke : strokes) {
            count += stroke.count();
        }
        return count;
    }

    @Override
    public boolean performClick() {
        return super.performClick();
    }
}
