package org.mobilebnn;

/**
 * What runtimes and XNNPACK take for granted of an operator, and crash without; they check the rest of it. Python has the same
 * ({@code mobile_bnn.runtime.operator_needs}), and a test compares them.
 */
final class OperatorNeeds {
    private static final int INPUTS = 1;
    private static final int OUTPUTS = 2;
    private static final int OPTIONS_TYPE = 3;
    private static final int OPTIONS = 4;
    private static final int SPLIT = 49;
    private static final int SPLIT_OPTIONS = 35;
    private static final int TENSOR_TYPE = 1;
    private static final int RESOURCE = 13;
    private static final int VARIANT = 14;
    private static final int HASHTABLE = 136;
    private static final int VAR_HANDLE = 142;

    private OperatorNeeds() {
    }

    /**
     * Refuses an operator that no runtime may see.
     *
     * @param code its code in the file
     * @param operator of the file, whose outputs are in range
     * @param tensors of its subgraph
     */
    static void check(FlatBuffer.Table code, FlatBuffer.Table operator, FlatBuffer.Vector tensors) {
        int number = OptionalInputs.number(code);
        FlatBuffer.Vector inputs = operator.vector(INPUTS, 4);
        int missing = OptionalInputs.missing(code, inputs);
        if (missing < 0 && inputs.count < fewestInputs(number)) {
            missing = inputs.count;
        }
        if (missing >= 0) {
            throw new FlatBuffer.BadFlatBuffer("input " + missing + " of an operator is absent");
        }
        FlatBuffer.Vector outputs = operator.vector(OUTPUTS, 4);
        if (number == SPLIT && parts(operator) != outputs.count) {
            throw new FlatBuffer.BadFlatBuffer("a SPLIT into " + parts(operator) + " has " + outputs.count + " outputs");
        }
        for (int i = 0; i < outputs.count; ++i) {
            int tensor = outputs.getInt(i);
            checkHandle(number, tensor, tensors.getTable(tensor).getByte(TENSOR_TYPE));
        }
    }

    /** A handle has no memory for numbers, and numbers read as much as their shape says. */
    private static void checkHandle(int operator, int tensor, int type) {
        if (operator == VAR_HANDLE || operator == HASHTABLE) {
            if (type != RESOURCE) {
                throw new FlatBuffer.BadFlatBuffer("tensor " + tensor + " is not a handle, which its operator makes");
            }
        } else if ((type == RESOURCE || type == VARIANT) && !mayMakeHandles(operator)) {
            throw new FlatBuffer.BadFlatBuffer("tensor " + tensor + " is a handle, which its operator does not make");
        }
    }

    private static boolean mayMakeHandles(int operator) {
        switch (operator) {
            case 32: // CUSTOM
            case 31: // CALL, and others that run other subgraphs
            case 118: // IF
            case 119: // WHILE
            case 173: // STABLEHLO_CUSTOM_CALL
            case 200: // STABLEHLO_WHILE
            case 206: // STABLEHLO_COMPOSITE
            case 209: // STABLEHLO_CASE
                return true;
            default:
                return false;
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
