package org.mobilebnn;

/**
 * What XNNPACK takes for granted of an operator, and crashes without; the runtime checks the rest of it. Python has the same
 * ({@code mobile_bnn.runtime.operator_needs}), and a test compares them.
 */
final class OperatorNeeds {
    private static final int INPUTS = 1;
    private static final int OUTPUTS = 2;
    private static final int OPTIONS_TYPE = 3;
    private static final int OPTIONS = 4;
    private static final int SPLIT = 49;
    private static final int SPLIT_OPTIONS = 35;

    private OperatorNeeds() {
    }

    /**
     * Refuses an operator that no runtime may see.
     *
     * @param code its code in the file
     * @param operator of the file
     */
    static void check(FlatBuffer.Table code, FlatBuffer.Table operator) {
        int number = OptionalInputs.number(code);
        FlatBuffer.Vector inputs = operator.vector(INPUTS, 4);
        int missing = OptionalInputs.missing(code, inputs);
        if (missing < 0 && inputs.count < fewestInputs(number)) {
            missing = inputs.count;
        }
        if (missing >= 0) {
            throw new FlatBuffer.BadFlatBuffer("input " + missing + " of an operator is absent");
        }
        int outputs = operator.vector(OUTPUTS, 4).count;
        if (number == SPLIT && parts(operator) != outputs) {
            throw new FlatBuffer.BadFlatBuffer("a SPLIT into " + parts(operator) + " has " + outputs + " outputs");
        }
    }

    private static int fewestInputs(int operator) {
        switch (operator) {
            case 45: // STRIDED_SLICE
                return 4;
            case 65: // SLICE
                return 3;
            case 126: // BATCH_MATMUL
            case 144: // ASSIGN_VARIABLE
                return 2;
            default:
                return 0;
        }
    }

    private static int parts(FlatBuffer.Table operator) {
        FlatBuffer.Table options = operator.getByte(OPTIONS_TYPE) == SPLIT_OPTIONS ? operator.getTable(OPTIONS) : null;
        return options == null ? 0 : options.getInt(0);
    }
}
