package org.mobilebnn.demo;

import android.graphics.Bitmap;
import android.graphics.Matrix;
import android.media.Image;
import java.nio.ByteBuffer;

/** Pictures as cameras give them: lying as the sensor does, YUV 4:2:0, U and V in turns, rows longer than the picture. */
final class Yuv {
    private static final int LUMA_PADDING = 64;
    private static final int CHROMA_PADDING = 32;

    private Yuv() {}

    /**
     * The planes of a frame.
     *
     * @param upright what the user would see, with even sides
     * @param rotation by how many degrees the frame must be turned clockwise to be upright
     */
    static Image.Plane[] of(Bitmap upright, int rotation) {
        Matrix back = new Matrix();
        back.setRotate(-rotation);
        Bitmap lying = Bitmap.createBitmap(upright, 0, 0, upright.getWidth(), upright.getHeight(), back, false);
        int width = lying.getWidth();
        int height = lying.getHeight();
        int lumaStride = width + LUMA_PADDING;
        int chromaStride = width + CHROMA_PADDING;
        byte[] luma = new byte[lumaStride * height];
        byte[] chroma = new byte[chromaStride * height / 2];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int pixel = lying.getPixel(x, y);
                double red = pixel >> 16 & 0xff;
                double green = pixel >> 8 & 0xff;
                double blue = pixel & 0xff;
                luma[y * lumaStride + x] = (byte) Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
                int at = y / 2 * chromaStride + x / 2 * 2;
                chroma[at] = (byte) Math.round(128 - 0.168736 * red - 0.331264 * green + 0.5 * blue);
                chroma[at + 1] = (byte) Math.round(128 + 0.5 * red - 0.418688 * green - 0.081312 * blue);
            }
        }
        int last = (height / 2 - 1) * chromaStride + width; // where phones let the planes end
        return new Image.Plane[] {
            new Plane(ByteBuffer.wrap(luma), lumaStride, 1),
            new Plane(ByteBuffer.wrap(chroma, 0, last - 1).slice(), chromaStride, 2),
            new Plane(ByteBuffer.wrap(chroma, 1, last - 1).slice(), chromaStride, 2),
        };
    }

    private static final class Plane extends Image.Plane {
        private final ByteBuffer bytes;
        private final int rowStride;
        private final int pixelStride;

        Plane(ByteBuffer bytes, int rowStride, int pixelStride) {
            this.bytes = bytes;
            this.rowStride = rowStride;
            this.pixelStride = pixelStride;
        }

        @Override
        public int getRowStride() {
            return rowStride;
        }

        @Override
        public int getPixelStride() {
            return pixelStride;
        }

        @Override
        public ByteBuffer getBuffer() {
            return bytes;
        }
    }
}
