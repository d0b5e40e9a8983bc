package org.mobilebnn;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.Test;

/** Floats to bytes and back, and classes out of them; the numbers are worked out by hand. */
public class TensorValuesTest {
    private static TensorInfo tensor(TensorType type, int elements, float scale, int zeroPoint) {
        return new TensorInfo("t", type, new int[] {1, elements}, scale, zeroPoint, (long) elements * type.bytes());
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] found = new byte[buffer.capacity()];
        buffer.duplicate().get(found);
        return found;
    }

    @Test
    public void quantizesToTheNearestEvenStep() {
        float[] values = {0, 0.25f, 0.75f, 1.25f, -0.25f, -0.75f, 1000, -1000};
        TensorInfo signed = tensor(TensorType.INT8, 8, 0.5f, -3);
        assertArrayEquals(new byte[] {-3, -3, -1, -1, -3, -5, 127, -128}, bytes(TensorValues.toBytes(values, signed)));
        TensorInfo unsigned = tensor(TensorType.UINT8, 8, 0.5f, 128);
        byte[] expected = {(byte) 128, (byte) 128, (byte) 130, (byte) 130, (byte) 128, 126, (byte) 255, 0};
        assertArrayEquals(expected, bytes(TensorValues.toBytes(values, unsigned)));
    }

    @Test
    public void dequantizes() {
        ByteBuffer stored = ByteBuffer.wrap(new byte[] {-128, 0, 127});
        assertArrayEquals(new double[] {-62.5, 1.5, 65},
            TensorValues.fromBytes(stored, tensor(TensorType.INT8, 3, 0.5f, -3)), 0);
        assertArrayEquals(new double[] {64, 0, 63.5},
            TensorValues.fromBytes(stored, tensor(TensorType.UINT8, 3, 0.5f, 0)), 0);
        assertArrayEquals(new double[] {-128, 0, 127},
            TensorValues.fromBytes(stored, tensor(TensorType.INT8, 3, 0, 0)), 0);
    }

    @Test
    public void refusesWhatStandsForNoNumbers() {
        Throwable noScale = assertThrows(IllegalArgumentException.class,
            () -> TensorValues.toBytes(new float[1], tensor(TensorType.INT8, 1, 0, 0)));
        assertEquals("the model takes INT8 and does not say how they stand for numbers", noScale.getMessage());
        Throwable wide = assertThrows(IllegalArgumentException.class,
            () -> TensorValues.toBytes(new float[1], tensor(TensorType.INT64, 1, 1, 0)));
        assertEquals("a tensor of INT64 is read and written as bytes, by run()", wide.getMessage());
    }

    @Test
    public void ordersClassesByProbability() {
        TensorInfo output = tensor(TensorType.FLOAT32, 3, 0, 0);
        List<Classification> found = ClassScores.of(new double[] {0.25, 0.5, 0.25}, output, Arrays.asList("a", "b"));
        assertEquals("b", found.get(0).label);
        assertEquals(0.5f, found.get(0).score, 0);
        assertEquals(0, found.get(1).index); // of equals the first comes first
        assertEquals("2", found.get(2).label); // it has no name
    }

    @Test
    public void takesOthersForLogits() {
        TensorInfo output = tensor(TensorType.FLOAT32, 2, 0, 0);
        List<Classification> found = ClassScores.of(
            new double[] {1000, 1000 + Math.log(3)}, output, Collections.<String>emptyList());
        assertEquals(1, found.get(0).index);
        assertEquals(0.75f, found.get(0).score, 1e-6f);
        assertEquals(0.25f, found.get(1).score, 1e-6f);
    }

    @Test
    public void takesAnIntegerSoftmaxAsItIs() {
        double[] values = {200 / 256.0, 40 / 256.0};
        TensorInfo output = tensor(TensorType.INT8, 2, 1 / 256f, -128);
        List<Classification> found = ClassScores.of(values, output, Collections.<String>emptyList());
        assertEquals(200 / 256f, found.get(0).score, 0);
    }
}
