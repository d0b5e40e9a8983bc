package org.mobilebnn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Floats to and from a tensor's bytes. */
final class TensorValues {
    private TensorValues() {
    }

    /**
     * The bytes of these values, quantized where the tensor is of bytes.
     *
     * @throws IllegalArgumentException there are more or fewer, or the tensor's type stands for no numbers
     */
    static ByteBuffer toBytes(float[] values, TensorInfo tensor) {
        if (values.length != tensor.elements()) {
            throw new IllegalArgumentException("the model takes " + tensor.elements() + " values, not " + values.length);
        }
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.multiplyExact(values.length, tensor.type.bytes()))
            .order(ByteOrder.nativeOrder());
        if (tensor.type == TensorType.FLOAT32) {
            bytes.asFloatBuffer().put(values);
            return bytes;
        }
        int lowest = lowestOf(tensor);
        if (tensor.scale == 0) {
            throw new IllegalArgumentException(
                "the model takes " + tensor.type + " and does not say how they stand for numbers");
        }
        for (int i = 0; i < values.length; ++i) {
            float steps = (float) Math.rint(values[i] / tensor.scale) + tensor.zeroPoint;
            bytes.put(i, (byte) (int) Math.min(Math.max(steps, lowest), lowest + 255));
        }
        return bytes;
    }

    /**
     * The numbers that a tensor's bytes stand for; of one without a scale the integers themselves.
     *
     * @throws IllegalArgumentException its type stands for no numbers
     */
    static double[] fromBytes(ByteBuffer bytes, TensorInfo tensor) {
        double[] values = new double[Math.toIntExact(tensor.elements())];
        ByteBuffer ordered = bytes.duplicate().order(ByteOrder.nativeOrder());
        if (tensor.type == TensorType.FLOAT32) {
            for (int i = 0; i < values.length; ++i) {
                values[i] = ordered.getFloat(4 * i);
            }
            return values;
        }
        boolean signed = lowestOf(tensor) < 0;
        for (int i = 0; i < values.length; ++i) {
            int number = signed ? ordered.get(i) : ordered.get(i) & 255;
            values[i] = tensor.scale == 0 ? number : (number - tensor.zeroPoint) * (double) tensor.scale;
        }
        return values;
    }

    private static int lowestOf(TensorInfo tensor) {
        if (tensor.type != TensorType.INT8 && tensor.type != TensorType.UINT8) {
            throw new IllegalArgumentException("a tensor of " + tensor.type + " is read and written as bytes, by run()");
        }
        return tensor.type == TensorType.INT8 ? -128 : 0;
    }
}
