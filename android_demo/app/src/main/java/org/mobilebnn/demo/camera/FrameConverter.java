package org.mobilebnn.demo.camera;

import java.nio.ByteBuffer;

/** From a camera's frame (YUV 4:2:0) to a small upright picture: each pixel is the mean of what it covers. */
public final class FrameConverter {
    private static final int MOST_SAMPLES = 16; // of a pixel, in each direction

    /** A frame: three planes as {@code android.media.Image} has them. */
    public static final class Frame {
        final ByteBuffer[] planes;
        final int[] rowStrides;
        final int[] pixelStrides;
        final int width;
        final int height;

        /** A frame of planes Y, U, V; the strides are bytes. */
        public Frame(ByteBuffer[] planes, int[] rowStrides, int[] pixelStrides, int width, int height) {
            this.planes = planes;
            this.rowStrides = rowStrides;
            this.pixelStrides = pixelStrides;
            this.width = width;
            this.height = height;
        }

        /** Its columns. */
        public int width() {
            return width;
        }

        private int sample(int plane, int x, int y) {
            int half = plane == 0 ? 0 : 1;
            int at = (y >> half) * rowStrides[plane] + (x >> half) * pixelStrides[plane];
            // The last chroma sample of some phones' planes ends before the stride does.
            return planes[plane].get(Math.min(at, planes[plane].limit() - 1)) & 0xff;
        }
    }

    private FrameConverter() {}

    /**
     * The middle of a frame.
     *
     * @param crop the side of the square that is taken out of the frame's middle, in its pixels
     * @param rotation by how many degrees the frame must be turned clockwise to be upright: 0, 90, 180, 270
     * @param mirrored whether left and right are exchanged afterwards, as a front camera's picture is shown
     * @return side * side pixels, opaque ARGB
     */
    public static int[] upright(Frame frame, float crop, int rotation, boolean mirrored, int side) {
        float square = Math.max(1, Math.min(crop, Math.min(frame.width, frame.height)));
        float left = (frame.width - square) / 2;
        float top = (frame.height - square) / 2;
        float cell = square / side;
        int samples = Math.max(1, Math.min(MOST_SAMPLES, (int) Math.ceil(cell)));
        int[] pixels = new int[side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int seenX = mirrored ? side - 1 - x : x;
                int fromX = rotation == 0 ? seenX : rotation == 90 ? y : rotation == 180 ? side - 1 - seenX : side - 1 - y;
                int fromY = rotation == 0 ? y : rotation == 90 ? side - 1 - seenX : rotation == 180 ? side - 1 - y : seenX;
                pixels[y * side + x] = mean(frame, left + fromX * cell, top + fromY * cell, cell, samples);
            }
        }
        return pixels;
    }

    private static int mean(Frame frame, float left, float top, float cell, int samples) {
        int[] sums = new int[3];
        for (int row = 0; row < samples; row++) {
            int y = Math.min(frame.height - 1, (int) (top + (row + 0.5f) * cell / samples));
            for (int column = 0; column < samples; column++) {
                int x = Math.min(frame.width - 1, (int) (left + (column + 0.5f) * cell / samples));
                for (int plane = 0; plane < 3; plane++) {
                    sums[plane] += frame.sample(plane, x, y);
                }
            }
        }
        float count = samples * samples;
        return argb(sums[0] / count, sums[1] / count - 128, sums[2] / count - 128);
    }

    /** BT.601 of the full range, as cameras give it. */
    private static int argb(float luma, float blue, float red) {
        int r = byteOf(luma + 1.402f * red);
        int g = byteOf(luma - 0.344136f * blue - 0.714136f * red);
        int b = byteOf(luma + 1.772f * blue);
        return 0xff000000 | r << 16 | g << 8 | b;
    }

    private static int byteOf(float value) {
        return Math.max(0, Math.min(255, Math.round(value)));
    }
}
