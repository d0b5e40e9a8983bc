package org.mobilebnn.demo.benchmark;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.Test;
import org.mobilebnn.TensorInfo;
import org.mobilebnn.TensorType;
import org.mobilebnn.Tensors;

/** How outputs of every type are compared. */
public final class ParityTest {
    private static ByteBuffer floats(float... values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer;
    }

    private static ByteBuffer bytes(int... values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length);
        for (int i = 0; i < values.length; i++) {
            buffer.put(i, (byte) values[i]);
        }
        return buffer;
    }

    private static List<ByteBuffer[]> samples(ByteBuffer... each) {
        ByteBuffer[][] all = new ByteBuffer[each.length][];
        for (int i = 0; i < all.length; i++) {
            all[i] = new ByteBuffer[] {each[i]};
        }
        return Arrays.asList(all);
    }

    private static Parity ofOne(TensorInfo tensor, ByteBuffer ours, ByteBuffer theirs) {
        return Parity.of(samples(ours), samples(theirs), Collections.singletonList(tensor));
    }

    @Test
    public void countsSamplesWithTheSameClass() {
        TensorInfo scores = Tensors.of(TensorType.FLOAT32, 3, 0, 0);
        Parity found = Parity.of(
                samples(floats(1, 2, 3), floats(3, 2, 1)),
                samples(floats(1, 2, 3.5f), floats(3, 2, 4)),
                Collections.singletonList(scores));
        assertEquals(2, found.samples);
        assertFalse(found.equal);
        assertEquals(3, found.largestDifference, 0);
        assertEquals(0.5, found.agreement, 0);
    }

    @Test
    public void comparesBits() {
        TensorInfo scores = Tensors.of(TensorType.FLOAT32, 2, 0, 0);
        assertTrue(ofOne(scores, floats(Float.NaN, 1), floats(Float.NaN, 1)).equal);
        assertEquals(0, ofOne(scores, floats(Float.NaN, 1), floats(Float.NaN, 1)).largestDifference, 0);
        assertFalse(ofOne(scores, floats(0, 1), floats(-0f, 1)).equal);
        assertEquals(0, ofOne(scores, floats(0, 1), floats(-0f, 1)).largestDifference, 0);
        double infinite = ofOne(scores, floats(0, 1), floats(Float.NaN, 1)).largestDifference;
        assertEquals(Double.POSITIVE_INFINITY, infinite, 0);
    }

    @Test
    public void comparesWhatIntegersStandFor() {
        TensorInfo signed = Tensors.of(TensorType.INT8, 2, 0.5f, 3);
        assertEquals(1, ofOne(signed, bytes(-128, 5), bytes(-126, 5)).largestDifference, 0);
        assertEquals(1, ofOne(signed, bytes(-128, 5), bytes(-126, 5)).agreement, 0);
        TensorInfo unsigned = Tensors.of(TensorType.UINT8, 2, 0.5f, 3);
        assertEquals(0, ofOne(unsigned, bytes(200, 5), bytes(4, 5)).agreement, 0);
        TensorInfo plain = Tensors.of(TensorType.INT64, 1, 0, 0);
        ByteBuffer one = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 1L << 40);
        ByteBuffer other = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 1);
        assertEquals((1L << 40) - 1, ofOne(plain, one, other).largestDifference, 0);
        TensorInfo flags = Tensors.of(TensorType.BOOL, 2, 0, 0);
        assertEquals(1, ofOne(flags, bytes(0, 1), bytes(1, 1)).largestDifference, 0);
    }

    @Test
    public void comparesNothingOfAnotherSize() {
        TensorInfo scores = Tensors.of(TensorType.FLOAT32, 2, 0, 0);
        assertSame(Parity.NONE, ofOne(scores, floats(1, 2), floats(1)));
        List<ByteBuffer[]> two = samples(floats(1, 2), floats(1, 2));
        assertSame(Parity.NONE, Parity.of(two, samples(floats(1, 2)), Collections.singletonList(scores)));
        assertFalse(Parity.NONE.equal);
    }
}
