package org.mobilebnn.demo.benchmark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.List;
import org.mobilebnn.TensorInfo;

/** How far outputs are from those that were expected. */
public final class Parity implements Serializable {
    /** Outputs that cannot be compared, because those that were expected are of another size. */
    static final Parity NONE = new Parity(0, false, Double.POSITIVE_INFINITY, 0);

    /** How many inputs were compared. */
    public final int samples;
    /** Whether every bit is the same. */
    public final boolean equal;
    /** The largest absolute difference of an output; infinite where a value is not a number. */
    public final double largestDifference;
    /** The share of the outputs, of all inputs, whose largest element is the same one, 0 to 1. */
    public final double agreement;

    private Parity(int samples, boolean equal, double largestDifference, double agreement) {
        this.samples = samples;
        this.equal = equal;
        this.largestDifference = largestDifference;
        this.agreement = agreement;
    }

    /**
     * Compares outputs.
     *
     * @param computed for each sample its outputs
     * @param expected likewise
     * @param tensors the outputs
     * @return {@link #NONE} where they are of different sizes
     */
    static Parity of(List<ByteBuffer[]> computed, List<ByteBuffer[]> expected, List<TensorInfo> tensors) {
        boolean equal = true;
        double largest = 0;
        int agreeing = 0;
        for (int sample = 0; sample < computed.size(); sample++) {
            for (int i = 0; i < tensors.size(); i++) {
                if (!sameSize(computed, expected, sample, i)) {
                    return NONE;
                }
                ByteBuffer ours = computed.get(sample)[i];
                ByteBuffer theirs = expected.get(sample)[i];
                equal &= ours.duplicate().rewind().equals(theirs.duplicate().rewind());
                largest = Math.max(largest, difference(ours, theirs, tensors.get(i)));
                agreeing += largestAt(ours, tensors.get(i)) == largestAt(theirs, tensors.get(i)) ? 1 : 0;
            }
        }
        int compared = computed.size() * tensors.size();
        return new Parity(computed.size(), equal, largest, compared == 0 ? 0 : (double) agreeing / compared);
    }

    private static boolean sameSize(List<ByteBuffer[]> computed, List<ByteBuffer[]> expected, int sample, int output) {
        return expected.size() == computed.size()
                && expected.get(sample).length == computed.get(sample).length
                && expected.get(sample)[output].capacity() == computed.get(sample)[output].capacity();
    }

    private static double difference(ByteBuffer ours, ByteBuffer theirs, TensorInfo tensor) {
        double largest = 0;
        for (int i = 0; i < count(ours, tensor); i++) {
            double one = number(ours, tensor, i);
            double other = number(theirs, tensor, i);
            double difference = Double.compare(one, other) == 0 ? 0 : Math.abs(one - other);
            largest = Math.max(largest, Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference);
        }
        return largest;
    }

    private static int largestAt(ByteBuffer values, TensorInfo tensor) {
        int best = 0;
        for (int i = 1; i < count(values, tensor); i++) {
            best = number(values, tensor, i) > number(values, tensor, best) ? i : best;
        }
        return best;
    }

    private static int count(ByteBuffer values, TensorInfo tensor) {
        return values.capacity() / Math.max(1, tensor.type.bytes());
    }

    /** The number that an element stands for; of a type that Java lacks, its raw bytes as a number. */
    private static double number(ByteBuffer values, TensorInfo tensor, int i) {
        switch (tensor.type) {
            case FLOAT32:
                return values.getFloat(4 * i);
            case FLOAT64:
                return values.getDouble(8 * i);
            case INT64:
            case UINT64:
                return values.getLong(8 * i);
            case INT32:
            case UINT32:
                return scaled(values.getInt(4 * i), tensor);
            case INT16:
                return scaled(values.getShort(2 * i), tensor);
            case FLOAT16:
            case UINT16:
                return values.getShort(2 * i);
            case UINT8:
                return scaled(values.get(i) & 255, tensor);
            case INT8:
                return scaled(values.get(i), tensor);
            default:
                return values.get(i);
        }
    }

    private static double scaled(int number, TensorInfo tensor) {
        return tensor.scale == 0 ? number : (number - tensor.zeroPoint) * (double) tensor.scale;
    }
}
