package org.mobilebnn;

/** Tensors for tests of other packages: the library alone describes tensors. */
public final class Tensors {
    private Tensors() {}

    /** A tensor of one dimension; a scale of 0 says nothing of what its numbers stand for. */
    public static TensorInfo of(TensorType type, int elements, float scale, int zeroPoint) {
        return new TensorInfo("", type, new int[] {elements}, scale, zeroPoint, (long) elements * type.bytes());
    }
}
