package org.mobilebnn;

/** Which inputs an operator may lack: for the others TFLite looks at the tensor of the number -1. */
final class OptionalInputs {
    private static final int DEPRECATED_CODE = 0;
    private static final int CODE = 3;
    private static final int CUSTOM = 32;

    private OptionalInputs() {
    }

    /**
     * The number of the first input that may be absent; those before it may not.
     *
     * @param operatorCode of the file
     */
    static int first(FlatBuffer.Table operatorCode) {
        // Files from before builtin operator 127 have the one-byte field alone.
        switch (Math.max(operatorCode.getByte(DEPRECATED_CODE), operatorCode.getInt(CODE))) {
            case 3: // CONV_2D: a bias
            case 4: // DEPTHWISE_CONV_2D
            case 9: // FULLY_CONNECTED
            case 132: // CONV_3D
                return 2;
            case 67: // TRANSPOSE_CONV: a bias after the shape of the output
            case 141: // CONV_3D_TRANSPOSE
                return 3;
            case 16: // LSTM: many
            case 27: // SVDF
            case 44: // UNIDIRECTIONAL_SEQUENCE_LSTM
            case 46: // BIDIRECTIONAL_SEQUENCE_RNN
            case 52: // BIDIRECTIONAL_SEQUENCE_LSTM
                return 1;
            case CUSTOM: // LCE's, which our delegate checks, or others, which no runtime has
                return 0;
            default:
                return Integer.MAX_VALUE;
        }
    }
}
