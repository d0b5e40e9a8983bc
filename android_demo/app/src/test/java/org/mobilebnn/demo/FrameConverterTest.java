package org.mobilebnn.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.graphics.Matrix;
import java.nio.ByteBuffer;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.camera.FrameConverter;
import org.mobilebnn.demo.camera.Orientation;
import org.robolectric.RobolectricTestRunner;

/** Camera frames come out upright and in the right colours, whatever their strides and the phone's position. */
@RunWith(RobolectricTestRunner.class)
public final class FrameConverterTest {
    private static final int BLACK = 0xff000000;
    private static final int DARK = 0xff404040;
    private static final int LIGHT = 0xff808080;
    private static final int WHITE = 0xffc0c0c0;

    /** 4 x 4 pixels: black, dark above, light, white below; each quarter one grey, with padding after each row. */
    private static FrameConverter.Frame grey() {
        int stride = 7;
        ByteBuffer luma = ByteBuffer.allocate(4 * stride);
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < stride; x++) {
                luma.put((byte) (x >= 4 ? 0xff : (y < 2 ? 0 : 0x80) + (x < 2 ? 0 : 0x40)));
            }
        }
        luma.rewind();
        // Semi-planar: U and V in turns, the last one missing as on some phones.
        ByteBuffer blue = ByteBuffer.allocate(7);
        ByteBuffer red = ByteBuffer.allocate(7);
        while (blue.hasRemaining()) {
            blue.put((byte) 128);
            red.put((byte) 128);
        }
        blue.rewind();
        red.rewind();
        ByteBuffer[] planes = {luma, blue, red};
        return new FrameConverter.Frame(planes, new int[] {stride, 4, 4}, new int[] {1, 2, 2}, 4, 4);
    }

    @Test
    public void turnsClockwise() {
        assertArrayEquals(new int[] {BLACK, DARK, LIGHT, WHITE}, FrameConverter.upright(grey(), 4, 0, false, 2));
        assertArrayEquals(new int[] {LIGHT, BLACK, WHITE, DARK}, FrameConverter.upright(grey(), 4, 90, false, 2));
        assertArrayEquals(new int[] {WHITE, LIGHT, DARK, BLACK}, FrameConverter.upright(grey(), 4, 180, false, 2));
        assertArrayEquals(new int[] {DARK, WHITE, BLACK, LIGHT}, FrameConverter.upright(grey(), 4, 270, false, 2));
    }

    @Test
    public void mirrorsAfterTurning() {
        assertArrayEquals(new int[] {DARK, BLACK, WHITE, LIGHT}, FrameConverter.upright(grey(), 4, 0, true, 2));
        assertArrayEquals(new int[] {BLACK, LIGHT, DARK, WHITE}, FrameConverter.upright(grey(), 4, 90, true, 2));
    }

    @Test
    public void averagesAndCrops() {
        assertArrayEquals(new int[] {0xff606060}, FrameConverter.upright(grey(), 4, 0, false, 1));
        assertArrayEquals(new int[] {BLACK, DARK, LIGHT, WHITE}, FrameConverter.upright(grey(), 2, 0, false, 2));
    }

    @Test
    public void knowsColours() {
        // Pure red of BT.601 in the full range: Y 76, Cb 85, Cr 255.
        ByteBuffer[] planes = {
            ByteBuffer.wrap(new byte[] {76, 76, 76, 76}),
            ByteBuffer.wrap(new byte[] {85}),
            ByteBuffer.wrap(new byte[] {(byte) 255}),
        };
        int[] steps = {1, 1, 1};
        int[] pixels = FrameConverter.upright(
                new FrameConverter.Frame(planes, new int[] {2, 1, 1}, steps, 2, 2), 2, 0, false, 1);
        assertTrue(Integer.toHexString(pixels[0]), (pixels[0] >> 16 & 0xff) >= 253);
        assertTrue(Integer.toHexString(pixels[0]), (pixels[0] >> 8 & 0xff) <= 2);
        assertTrue(Integer.toHexString(pixels[0]), (pixels[0] & 0xff) <= 2);
    }

    @Test
    public void knowsHowThePhoneIsHeld() {
        assertEquals(90, Orientation.ofFrame(90, 0, false)); // most phones, upright
        assertEquals(0, Orientation.ofFrame(90, 90, false)); // turned to the left
        assertEquals(180, Orientation.ofFrame(90, 270, false));
        assertEquals(270, Orientation.ofFrame(270, 0, true)); // their front cameras
        assertEquals(0, Orientation.ofFrame(270, 90, true));
    }

    @Test
    public void fillsThePreviewWithoutDistortion() {
        for (int display : new int[] {0, 90, 180, 270}) {
            boolean wide = display % 180 != 0;
            int width = wide ? 1000 : 600;
            int height = wide ? 600 : 1000;
            Matrix matrix = Orientation.ofPreview(width, height, 640, 480, 90, display);
            // TextureView stretches the upright 480 x 640 to its own size; undone, a pixel is as wide as it is high.
            float[] vectors = {width / 480f, 0, 0, height / 640f};
            matrix.mapVectors(vectors);
            double across = Math.hypot(vectors[0], vectors[1]);
            double down = Math.hypot(vectors[2], vectors[3]);
            assertEquals("display " + display, across, down, 1e-3);
            float[] corners = {0, 0, width, height};
            matrix.mapPoints(corners);
            assertTrue("display " + display, Math.min(corners[0], corners[2]) <= 1e-2);
            assertTrue("display " + display, Math.max(corners[0], corners[2]) >= width - 1e-2);
            assertTrue("display " + display, Math.min(corners[1], corners[3]) <= 1e-2);
            assertTrue("display " + display, Math.max(corners[1], corners[3]) >= height - 1e-2);
        }
    }
}
