package org.mobilebnn.demo.draw;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import java.util.ArrayDeque;
import java.util.List;

/**
 * Turns strokes into the image that a network sees.
 *
 * <p>The drawing is cut out, scaled and drawn again with a pen of the style's width, {@link #FINE} times as fine as the
 * image; a pixel is the share of its cell that is covered, which is how the images of the data set "digits" were made.
 */
public final class Raster {
    private static final int FINE = 8;
    private static final float THICKER = 0.02f; // step of the pen, as a share of the image's side
    private static final int LARGEST = 512; // pixels of a side that are drawn finer; larger images are drawn as they are

    private Raster() {}

    /**
     * The image.
     *
     * @param strokes what was drawn
     * @param width of the image in pixels
     * @param height of the image in pixels
     * @return opaque and grey; without strokes, the background alone
     */
    public static Bitmap of(List<Stroke> strokes, int width, int height, DrawStyle style) {
        int fine = Math.max(width, height) <= LARGEST ? FINE : 1;
        int[] ink = inked(strokes, width * fine, height * fine, style);
        Bitmap image = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        int[] pixels = new int[width * height];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int sum = 0;
                for (int row = y * fine; row < (y + 1) * fine; row++) {
                    for (int column = x * fine; column < (x + 1) * fine; column++) {
                        sum += ink[row * width * fine + column];
                    }
                }
                int covered = Math.round((float) sum / (fine * fine));
                int grey = style.darkOnLight ? 255 - covered : covered;
                pixels[y * width + x] = Color.rgb(grey, grey, grey);
            }
        }
        image.setPixels(pixels, 0, width, 0, 0, width, height);
        return image;
    }

    /** The ink of each fine pixel, 0 to 255. */
    private static int[] inked(List<Stroke> strokes, int width, int height, DrawStyle style) {
        int[] ink = new int[width * height];
        float[] box = box(strokes);
        if (box == null) {
            return ink;
        }
        for (float pen = style.pen; ; pen += THICKER) {
            draw(strokes, box, ink, width, height, pen, style);
            if (pen + THICKER > style.thickestPen + 1e-6f || share(ink) >= style.ink) {
                break;
            }
        }
        if (style.filled) {
            fill(ink, width, height);
        }
        return ink;
    }

    private static void draw(
            List<Stroke> strokes, float[] box, int[] ink, int width, int height, float penShare, DrawStyle style) {
        float side = Math.min(width, height);
        float pen = penShare * side;
        float span = Math.max(Math.max(box[2] - box[0], box[3] - box[1]), 1e-3f);
        float scale = (style.extent * side - pen) / span;
        // A dot stays a dot: it is not blown up to the whole image.
        scale = Math.min(scale, side * 4);
        float left = width / 2f - scale * (box[0] + box[2]) / 2;
        float top = height / 2f - scale * (box[1] + box[3]) / 2;
        draw(strokes, ink, width, height, pen, scale, left, top);
        if (style.byMass) {
            float[] centre = centre(ink, width, height);
            draw(strokes, ink, width, height, pen, scale, left + width / 2f - centre[0], top + height / 2f - centre[1]);
        }
    }

    private static double share(int[] ink) {
        long sum = 0;
        for (int each : ink) {
            sum += each;
        }
        return sum / 255.0 / ink.length;
    }

    private static void draw(
            List<Stroke> strokes, int[] ink, int width, int height, float pen, float scale, float left, float top) {
        Bitmap bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        bitmap.eraseColor(Color.BLACK);
        Canvas canvas = new Canvas(bitmap);
        Paint paint = pen(Color.WHITE, pen);
        for (Stroke stroke : strokes) {
            canvas.drawPath(stroke.path(scale, left, top), paint);
        }
        bitmap.getPixels(ink, 0, width, 0, 0, width, height);
        bitmap.recycle();
        for (int i = 0; i < ink.length; i++) {
            ink[i] &= 0xff;
        }
    }

    /** A round pen. */
    public static Paint pen(int color, float width) {
        Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
        paint.setColor(color);
        paint.setStyle(Paint.Style.STROKE);
        paint.setStrokeCap(Paint.Cap.ROUND);
        paint.setStrokeJoin(Paint.Join.ROUND);
        paint.setStrokeWidth(width);
        return paint;
    }

    private static float[] box(List<Stroke> strokes) {
        float[] box = null;
        for (Stroke stroke : strokes) {
            float[] points = stroke.points();
            for (int i = 0; i < points.length; i += 2) {
                if (box == null) {
                    box = new float[] {points[i], points[i + 1], points[i], points[i + 1]};
                }
                box[0] = Math.min(box[0], points[i]);
                box[1] = Math.min(box[1], points[i + 1]);
                box[2] = Math.max(box[2], points[i]);
                box[3] = Math.max(box[3], points[i + 1]);
            }
        }
        return box;
    }

    private static float[] centre(int[] ink, int width, int height) {
        double sum = 0;
        double x = 0;
        double y = 0;
        for (int i = 0; i < ink.length; i++) {
            sum += ink[i];
            x += (double) ink[i] * (i % width + 0.5);
            y += (double) ink[i] * (i / width + 0.5);
        }
        return sum == 0 ? new float[] {width / 2f, height / 2f} : new float[] {(float) (x / sum), (float) (y / sum)};
    }

    /** Inks what cannot be reached from the edge without crossing ink. */
    private static void fill(int[] ink, int width, int height) {
        boolean[] outside = new boolean[ink.length];
        ArrayDeque<Integer> left = new ArrayDeque<>();
        for (int x = 0; x < width; x++) {
            visit(x, ink, outside, left);
            visit((height - 1) * width + x, ink, outside, left);
        }
        for (int y = 0; y < height; y++) {
            visit(y * width, ink, outside, left);
            visit(y * width + width - 1, ink, outside, left);
        }
        while (!left.isEmpty()) {
            int at = left.poll();
            int x = at % width;
            if (x > 0) {
                visit(at - 1, ink, outside, left);
            }
            if (x < width - 1) {
                visit(at + 1, ink, outside, left);
            }
            if (at >= width) {
                visit(at - width, ink, outside, left);
            }
            if (at < ink.length - width) {
                visit(at + width, ink, outside, left);
            }
        }
        for (int i = 0; i < ink.length; i++) {
            if (!outside[i]) {
                ink[i] = Math.max(ink[i], 200); // garments are seldom white all over
            }
        }
    }

    private static void visit(int at, int[] ink, boolean[] outside, ArrayDeque<Integer> left) {
        if (!outside[at] && ink[at] < 128) {
            outside[at] = true;
            left.add(at);
        }
    }
}
