package org.mobilebnn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The inputs of a model's {@link Reference}: bytes from a counter, normalized where an input is of floats, bit for bit
 * those of Python's {@code mobile_bnn.runtime.reference_inputs}, whose documentation has the formula.
 */
public final class ReferenceInputs {
    private static final int BYTE = 255;

    private ReferenceInputs() {
    }

    /**
     * Whether there are such inputs for a model.
     *
     * @param inputs of the model, in the order of {@link BnnInterpreter#input}
     * @return false where one is neither of 32-bit floats nor of bytes
     */
    public static boolean canFeed(List<TensorInfo> inputs) {
        for (TensorInfo input : inputs) {
            TensorType type = input.type;
            if (type != TensorType.FLOAT32 && type != TensorType.UINT8 && type != TensorType.INT8) {
                return false;
            }
        }
        return true;
    }

    /**
     * The inputs of one sample.
     *
     * @param inputs of the model, in the order of {@link BnnInterpreter#input}
     * @param normalization of the file's metadata
     * @param sample its number, from 0
     * @return direct buffers in native order, as {@link BnnInterpreter#run} takes them
     * @throws IllegalArgumentException there are none for these inputs
     */
    public static ByteBuffer[] of(List<TensorInfo> inputs, ModelMetadata.Normalization normalization, int sample) {
        if (!canFeed(inputs)) {
            throw new IllegalArgumentException("an input is neither of 32-bit floats nor of bytes");
        }
        int elements = 0; // it may overflow, as the counter does
        for (TensorInfo input : inputs) {
            elements += (int) input.elements();
        }
        int counter = sample * elements;
        ByteBuffer[] made = new ByteBuffer[inputs.size()];
        for (int i = 0; i < made.length; ++i) {
            TensorInfo input = inputs.get(i);
            made[i] = ByteBuffer.allocateDirect(Math.toIntExact(input.bytes)).order(ByteOrder.nativeOrder());
            fill(made[i], input.type == TensorType.FLOAT32 ? normalization : null, counter);
            counter += (int) input.elements();
        }
        return made;
    }

    /** Fills a buffer with pixels, or with floats where there is a normalization. */
    private static void fill(ByteBuffer buffer, ModelMetadata.Normalization normalization, int counter) {
        if (normalization == null) {
            for (int i = 0; i < buffer.capacity(); ++i) {
                buffer.put(i, (byte) pixel(counter + i));
            }
            return;
        }
        float[] mean = normalization.mean();
        float[] std = normalization.std();
        for (int i = 0; i < buffer.capacity() / Float.BYTES; ++i) {
            int channel = i % mean.length;
            buffer.putFloat(Float.BYTES * i, (pixel(counter + i) - mean[channel]) / std[channel]);
        }
    }

    private static int pixel(int counter) {
        int h = (counter ^ (counter >>> 16)) * 0x85ebca6b;
        h = (h ^ (h >>> 13)) * 0xc2b2ae35;
        return (h ^ (h >>> 16)) & BYTE;
    }
}
