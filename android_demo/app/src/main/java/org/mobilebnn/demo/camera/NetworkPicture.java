package org.mobilebnn.demo.camera;

import android.graphics.Bitmap;

/** Makes pictures as small as a network takes them, without the aliasing that dropping pixels would give. */
public final class NetworkPicture {
    private NetworkPicture() {}

    /**
     * The middle of a picture: a square, or what has the network's proportions, each pixel the mean of what it covers.
     *
     * @param width of the result; so is the height
     * @param inverted whether light becomes dark
     */
    public static Bitmap of(Bitmap picture, int width, int height, boolean inverted) {
        float cell = Math.min((float) picture.getWidth() / width, (float) picture.getHeight() / height);
        float left = (picture.getWidth() - cell * width) / 2;
        float top = (picture.getHeight() - cell * height) / 2;
        int[] from = new int[picture.getWidth() * picture.getHeight()];
        picture.getPixels(from, 0, picture.getWidth(), 0, 0, picture.getWidth(), picture.getHeight());
        int[] to = new int[width * height];
        for (int y = 0; y < height; y++) {
            int firstRow = Math.min(picture.getHeight() - 1, (int) (top + y * cell));
            int endRow = Math.max(firstRow + 1, Math.min(picture.getHeight(), (int) (top + (y + 1) * cell)));
            for (int x = 0; x < width; x++) {
                int first = Math.min(picture.getWidth() - 1, (int) (left + x * cell));
                int end = Math.max(first + 1, Math.min(picture.getWidth(), (int) (left + (x + 1) * cell)));
                to[y * width + x] = mean(from, picture.getWidth(), first, end, firstRow, endRow);
            }
        }
        if (inverted) {
            for (int i = 0; i < to.length; i++) {
                to[i] ^= 0x00ffffff;
            }
        }
        return Bitmap.createBitmap(to, width, height, Bitmap.Config.ARGB_8888);
    }

    private static int mean(int[] pixels, int width, int left, int right, int top, int bottom) {
        long red = 0;
        long green = 0;
        long blue = 0;
        for (int y = top; y < bottom; y++) {
            for (int x = left; x < right; x++) {
                int pixel = pixels[y * width + x];
                red += pixel >> 16 & 0xff;
                green += pixel >> 8 & 0xff;
                blue += pixel & 0xff;
            }
        }
        long count = (long) (right - left) * (bottom - top);
        return 0xff000000 | (int) (red / count) << 16 | (int) (green / count) << 8 | (int) (blue / count);
    }
}
