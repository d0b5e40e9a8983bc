package org.mobilebnn.demo.camera;

import android.graphics.Bitmap;

/**
 * Makes of ink on paper what a network of digits was trained on: white strokes on black that fill the picture.
 *
 * <p>The lightest tenth of the pixels is the paper, the darkest pixels are the ink, and what lies between is stretched; the
 * box around the ink is cut out. Without that, a shadow on the paper is ink to the network, and a digit a speck.
 */
public final class InkPicture {
    /** How many pixels the side of the picture should have that is given: enough for the box, few enough for every frame. */
    public static final int SIDE = 96;

    private static final int LEAST_CONTRAST = 40; // of 255: a picture with less has no ink
    private static final double PAPER = 0.9; // of the pixels, from the darkest, the one that is taken for the paper
    private static final double DARKEST = 0.01; // likewise for the ink: a single pixel may be noise

    private InkPicture() {}

    /**
     * The ink.
     *
     * @param picture square, opaque
     * @param width of the result; so is the height
     * @param darkInk whether ink is darker than the paper
     * @param extent the longer side of the ink's box as a share of the result's side
     * @return grey and opaque, the ink white; black all over where there is no ink
     */
    public static Bitmap of(Bitmap picture, int width, int height, boolean darkInk, float extent) {
        int across = picture.getWidth();
        int down = picture.getHeight();
        int[] pixels = new int[across * down];
        picture.getPixels(pixels, 0, across, 0, 0, across, down);
        int[] ink = stretched(pixels, darkInk);
        int[] box = box(ink, across);
        int[] result = new int[width * height];
        double side = box == null ? 0 : Math.max(box[2] - box[0], box[3] - box[1]) / extent;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int grey = 0;
                if (box != null) {
                    double cell = side / Math.min(width, height);
                    double left = (box[0] + box[2] - cell * width) / 2 + x * cell;
                    double top = (box[1] + box[3] - cell * height) / 2 + y * cell;
                    grey = mean(ink, across, left, top, cell);
                }
                result[y * width + x] = 0xff000000 | grey << 16 | grey << 8 | grey;
            }
        }
        return Bitmap.createBitmap(result, width, height, Bitmap.Config.ARGB_8888);
    }

    /** How much ink each pixel has, 0 to 255. */
    private static int[] stretched(int[] pixels, boolean darkInk) {
        int[] ink = new int[pixels.length];
        int[] counts = new int[256];
        for (int i = 0; i < pixels.length; i++) {
            int pixel = pixels[i];
            int grey = (299 * (pixel >> 16 & 0xff) + 587 * (pixel >> 8 & 0xff) + 114 * (pixel & 0xff)) / 1000;
            ink[i] = darkInk ? 255 - grey : grey;
            counts[ink[i]]++;
        }
        int most = quantile(counts, pixels.length, 1 - DARKEST);
        int paper = quantile(counts, pixels.length, 1 - PAPER);
        // What lies a quarter above the paper is its grain and its shadows.
        double least = paper + 0.25 * (most - paper);
        for (int i = 0; i < ink.length; i++) {
            double share = most - paper < LEAST_CONTRAST ? 0 : (ink[i] - least) / (most - least);
            ink[i] = (int) Math.round(255 * Math.max(0, Math.min(1, share)));
        }
        return ink;
    }

    private static int quantile(int[] counts, int all, double share) {
        long below = 0;
        for (int value = 0; value < counts.length; value++) {
            below += counts[value];
            if (below >= share * all) {
                return value;
            }
        }
        return counts.length - 1;
    }

    /** Left, top, right and bottom of what is more ink than paper; null without any. */
    private static int[] box(int[] ink, int across) {
        int[] box = null;
        for (int i = 0; i < ink.length; i++) {
            if (ink[i] >= 128) {
                int x = i % across;
                int y = i / across;
                if (box == null) {
                    box = new int[] {x, y, x + 1, y + 1};
                }
                box[0] = Math.min(box[0], x);
                box[1] = Math.min(box[1], y);
                box[2] = Math.max(box[2], x + 1);
                box[3] = Math.max(box[3], y + 1);
            }
        }
        return box;
    }

    private static int mean(int[] ink, int across, double left, double top, double cell) {
        long sum = 0;
        int count = 0;
        int down = ink.length / across;
        int steps = Math.max(1, (int) Math.ceil(cell));
        for (int row = 0; row < steps; row++) {
            int y = (int) Math.floor(top + (row + 0.5) * cell / steps);
            for (int column = 0; column < steps; column++) {
                int x = (int) Math.floor(left + (column + 0.5) * cell / steps);
                sum += x >= 0 && x < across && y >= 0 && y < down ? ink[y * across + x] : 0;
                count++;
            }
        }
        return (int) (sum / count);
    }
}
