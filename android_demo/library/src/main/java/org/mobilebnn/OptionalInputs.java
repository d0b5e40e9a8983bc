package org.mobilebnn;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which inputs an operator may lack: for the others TFLite looks at the tensor of the number -1. Python has the same lists
 * ({@code mobile_bnn.runtime.optional_inputs}), and a test compares them.
 */
final class OptionalInputs {
    private static final int DEPRECATED_CODE = 0;
    private static final int CUSTOM_CODE = 1;
    private static final int CODE = 3;
    private static final int CUSTOM = 32;
    private static final int ABSENT = -1;
    private static final int LONGEST_NAME = 64;
    private static final Set<String> OF_OUR_DELEGATE =
        new HashSet<>(Arrays.asList("LceQuantize", "LceDequantize", "LceBconv2d", "LceBMaxPool2d"));

    // Each input that may be absent, with those of which one must be absent as well: gates share weights and biases.
    private static final Map<Integer, int[]> NONE = Collections.emptyMap();
    private static final Map<Integer, int[]> THIRD = inputs(2);
    private static final Map<Integer, int[]> FOURTH = inputs(3);
    private static final Map<Integer, int[]> LSTM = inputs(1, 5, 9, 10, 11, 16, 17, 20, 21, 22, 23);
    private static final Map<Integer, int[]> BIDIRECTIONAL_RNN = inputs(10, 11);
    private static final Map<Integer, int[]> BIDIRECTIONAL_LSTM =
        inputs(1, 5, 9, 10, 11, 16, 17, 18, 22, 26, 27, 28, 33, 34, 39, 41, 42, 43, 45, 46, 47);

    static {
        LSTM.put(12, new int[] {1});
        BIDIRECTIONAL_RNN.put(9, new int[] {10});
        BIDIRECTIONAL_LSTM.put(12, new int[] {1});
        BIDIRECTIONAL_LSTM.put(29, new int[] {18});
        BIDIRECTIONAL_LSTM.put(40, new int[] {1, 41});
        BIDIRECTIONAL_LSTM.put(44, new int[] {18, 45});
    }

    private OptionalInputs() {
    }

    /**
     * The number of the first input that is absent though the operator needs it; -1 if it has all.
     *
     * @param operatorCode of the file
     * @param inputs the numbers of the operator's input tensors
     */
    static int missing(FlatBuffer.Table operatorCode, FlatBuffer.Vector inputs) {
        Map<Integer, int[]> optional = null; // most operators lack nothing
        for (int i = 0; i < inputs.count; ++i) {
            if (inputs.getInt(i) == ABSENT) {
                if (isOfOurDelegate(operatorCode)) {
                    return -1; // it checks its own
                }
                optional = optional == null ? of(number(operatorCode)) : optional;
                if (!optional.containsKey(i) || !lacksAny(inputs, optional.get(i))) {
                    return i;
                }
            }
        }
        return -1;
    }

    private static Map<Integer, int[]> of(int operator) {
        switch (operator) {
            case 3: // CONV_2D: a bias
            case 4: // DEPTHWISE_CONV_2D
            case 9: // FULLY_CONNECTED
            case 132: // CONV_3D
                return THIRD;
            case 67: // TRANSPOSE_CONV: a bias after the shape of the output
            case 141: // CONV_3D_TRANSPOSE
            case 27: // SVDF
                return FOURTH;
            case 16: // LSTM
            case 44: // UNIDIRECTIONAL_SEQUENCE_LSTM
                return LSTM;
            case 46:
                return BIDIRECTIONAL_RNN;
            case 52:
                return BIDIRECTIONAL_LSTM;
            default:
                return NONE;
        }
    }

    /** The builtin operator of a code; files from before number 127 have the one-byte field alone. */
    static int number(FlatBuffer.Table operatorCode) {
        return Math.max(operatorCode.getByte(DEPRECATED_CODE), operatorCode.getInt(CODE));
    }

    private static boolean isOfOurDelegate(FlatBuffer.Table operatorCode) {
        FlatBuffer.Vector name = operatorCode.vector(CUSTOM_CODE, 1);
        return number(operatorCode) == CUSTOM && name.count <= LONGEST_NAME
            && OF_OUR_DELEGATE.contains(new String(name.toBytes(), StandardCharsets.US_ASCII));
    }

    private static boolean lacksAny(FlatBuffer.Vector inputs, int[] places) {
        for (int place : places) {
            if (place >= inputs.count || inputs.getInt(place) == ABSENT) {
                return true;
            }
        }
        return places.length == 0;
    }

    private static Map<Integer, int[]> inputs(int... numbers) {
        Map<Integer, int[]> found = new HashMap<>();
        for (int number : numbers) {
            found.put(number, new int[0]);
        }
        return found;
    }
}
