package org.mobilebnn;

/**
 * Brings an image to a network's size, as Python's {@code mobile_bnn.runtime.images} does and training's tests did: the
 * same floats to the last bit.
 */
final class ImageFitting {
    private static final double CENTRAL_FRACTION = 0.875; // of the side that bounds it: 224 of 256 pixels

    private ImageFitting() {
    }

    /**
     * Fits an image. One of the network's size stays as it is; of others the central part is taken that has the network's
     * proportions and 7/8 of the side that bounds it, and resized bilinearly.
     *
     * @param argb the pixels, row by row
     * @param channels 1 or 3, of the network
     * @param cropAll crops an image of the network's size too
     * @return [height, width, channels], 0 to 255
     */
    static float[] fit(int[] argb, int rows, int columns, int height, int width, int channels, boolean cropAll) {
        if (rows == height && columns == width && !cropAll) {
            return channelsOf(argb, channels);
        }
        double bound = CENTRAL_FRACTION * Math.min((double) ((long) rows * width), (double) ((long) columns * height));
        int keptRows = (int) Math.max(1, Math.rint(bound / width));
        int keptColumns = (int) Math.max(1, Math.rint(bound / height));
        int top = (rows - keptRows) / 2;
        int left = (columns - keptColumns) / 2;
        int[] kept = new int[keptRows * keptColumns];
        for (int row = 0; row < keptRows; ++row) {
            System.arraycopy(argb, (top + row) * columns + left, kept, row * keptColumns, keptColumns);
        }
        return resized(channelsOf(kept, channels), keptRows, keptColumns, height, width, channels);
    }

    /** The channels of pixels, without their alpha; grey is Pillow's, which is ITU-R 601-2's in 16 bits of fraction. */
    private static float[] channelsOf(int[] argb, int channels) {
        float[] found = new float[Math.multiplyExact(argb.length, channels)];
        for (int i = 0; i < argb.length; ++i) {
            int red = argb[i] >> 16 & 255;
            int green = argb[i] >> 8 & 255;
            int blue = argb[i] & 255;
            if (channels == 1) {
                found[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
            } else {
                found[3 * i] = red;
                found[3 * i + 1] = green;
                found[3 * i + 2] = blue;
            }
        }
        return found;
    }

    /** Bilinear between pixel centers, without a filter against aliasing, as TensorFlow's resize does. */
    private static float[] resized(float[] values, int rows, int columns, int height, int width, int channels) {
        Neighbours down = new Neighbours(rows, height);
        Neighbours across = new Neighbours(columns, width);
        float[] row = new float[columns * channels];
        float[] found = new float[height * width * channels];
        for (int y = 0; y < height; ++y) {
            int top = down.low[y] * row.length;
            int bottom = down.high[y] * row.length;
            for (int i = 0; i < row.length; ++i) {
                row[i] = values[top + i] + (values[bottom + i] - values[top + i]) * down.share[y];
            }
            for (int x = 0; x < width; ++x) {
                for (int channel = 0; channel < channels; ++channel) {
                    float left = row[across.low[x] * channels + channel];
                    float right = row[across.high[x] * channels + channel];
                    found[(y * width + x) * channels + channel] = left + (right - left) * across.share[x];
                }
            }
        }
        return found;
    }

    /** Of each new pixel the two old ones that it lies between, and how near it is to the second. */
    private static final class Neighbours {
        final int[] low;
        final int[] high;
        final float[] share;

        Neighbours(int size, int wanted) {
            low = new int[wanted];
            high = new int[wanted];
            share = new float[wanted];
            float step = (float) ((double) size / wanted);
            for (int i = 0; i < wanted; ++i) {
                float center = ((float) i + 0.5f) * step - 0.5f;
                float first = (float) Math.floor(center);
                low[i] = (int) Math.max(first, 0);
                high[i] = (int) Math.min(Math.max(first + 1, 0), size - 1);
                share[i] = center - first;
            }
        }
    }
}
