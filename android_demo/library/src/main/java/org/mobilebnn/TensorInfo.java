package org.mobilebnn;

/** What an input or an output of a model is. */
public final class TensorInfo {
    /** The name in the file; may be empty. */
    public final String name;
    /** The element type. */
    public final TensorType type;
    /** Of an integer tensor: a number q stands for (q - zeroPoint) * scale; 0 where the file does not say. */
    public final float scale;
    /** See {@link #scale}. */
    public final int zeroPoint;
    /** The size of its buffer. */
    public final long bytes;
    private final int[] shape;

    TensorInfo(String name, TensorType type, int[] shape, float scale, int zeroPoint, long bytes) {
        this.name = name;
        this.type = type;
        this.shape = shape.clone();
        this.scale = scale;
        this.zeroPoint = zeroPoint;
        this.bytes = bytes;
    }

    /**
     * The sizes of its axes, such as [1, height, width, channels].
     *
     * @return a copy
     */
    public int[] shape() {
        return shape.clone();
    }

    /**
     * How many elements it has.
     *
     * @return the product of the shape
     */
    public long elements() {
        long product = 1;
        for (int size : shape) {
            product *= size;
        }
        return product;
    }
}
