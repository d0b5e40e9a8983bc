package org.mobilebnn.demo.draw;

import android.graphics.Path;
import java.util.Arrays;

/** The way of a finger: points as shares of the drawing area's side, so that it survives a rotation. */
public final class Stroke {
    private float[] values = new float[64];
    private int count;

    /** An empty stroke. */
    public Stroke() {}

    /** The stroke of points x, y, x, y, as {@link #points} gives them. */
    public Stroke(float[] points) {
        values = points.clone();
        count = points.length / 2;
    }

    /** Adds a point, unless it is nearer to the last one than a distance. */
    public void add(float x, float y, float least) {
        if (count > 0 && Math.hypot(values[2 * count - 2] - x, values[2 * count - 1] - y) < least) {
            return;
        }
        if (2 * count == values.length) {
            values = Arrays.copyOf(values, 2 * values.length);
        }
        values[2 * count] = x;
        values[2 * count + 1] = y;
        count++;
    }

    /** How many points there are. */
    public int count() {
        return count;
    }

    /** x, y, x, y, ... */
    public float[] points() {
        return Arrays.copyOf(values, 2 * count);
    }

    /** A smooth line through the points; of a single point a line of no length, which a round pen makes a dot. */
    public Path path(float scale, float left, float top) {
        Path path = new Path();
        if (count == 0) {
            return path;
        }
        float x = left + values[0] * scale;
        float y = top + values[1] * scale;
        path.moveTo(x, y);
        for (int i = 1; i < count; i++) {
            float nextX = left + values[2 * i] * scale;
            float nextY = top + values[2 * i + 1] * scale;
            path.quadTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
            x = nextX;
            y = nextY;
        }
        path.lineTo(x, y);
        return path;
    }
}
