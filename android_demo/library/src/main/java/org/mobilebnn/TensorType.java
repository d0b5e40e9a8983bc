package org.mobilebnn;

/** The element types of inputs and outputs, by TFLite's numbers. */
public enum TensorType {
    /** 32-bit floats. */
    FLOAT32(1, 4),
    /** 32-bit integers. */
    INT32(2, 4),
    /** Bytes of 0 to 255. */
    UINT8(3, 1),
    /** 64-bit integers. */
    INT64(4, 8),
    /** Bytes of 0 or 1. */
    BOOL(6, 1),
    /** 16-bit integers. */
    INT16(7, 2),
    /** Bytes of -128 to 127. */
    INT8(9, 1),
    /** 16-bit floats. */
    FLOAT16(10, 2),
    /** 64-bit floats. */
    FLOAT64(11, 8),
    /** Unsigned 64-bit integers. */
    UINT64(13, 8),
    /** Unsigned 32-bit integers. */
    UINT32(16, 4),
    /** Unsigned 16-bit integers. */
    UINT16(17, 2),
    /** Any other; its elements have no size of their own here. */
    OTHER(-1, 0);

    private final int number;
    private final int bytes;

    TensorType(int number, int bytes) {
        this.number = number;
        this.bytes = bytes;
    }

    /**
     * The bytes of one element.
     *
     * @return 0 for {@link #OTHER}
     */
    public int bytes() {
        return bytes;
    }

    static TensorType of(long number) {
        for (TensorType type : values()) {
            if (type.number == number) {
                return type;
            }
        }
        return OTHER;
    }
}
