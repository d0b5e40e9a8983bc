package org.mobilebnn;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A .tflite file of unknown origin: what a runtime takes for granted is checked here, as Python's {@code read_model} does.
 *
 * <p>Every offset and index leads somewhere, shapes are not negative, and each tensor has one source before its readers:
 * the input, a constant, or one operator. TFLite would read and write outside of its memory otherwise. Beyond that, operators
 * have what runtimes take for granted, and every operator has a reader.
 */
final class ModelFile {
    /** The name of our entry among the file's metadata. */
    private static final String ENTRY = "mobile_bnn";
    private static final byte[] IDENTIFIER = {'T', 'F', 'L', '3'};
    private static final int IDENTIFIER_AT = 4;
    private static final int SMALLEST_TABLE = 4;
    private static final int ABSENT = -1;

    private final FlatBuffer buffer;
    private final FlatBuffer.Table model;
    private final FlatBuffer.Vector operatorCodes;
    private final FlatBuffer.Vector subgraphs;
    private final FlatBuffer.Vector buffers;
    private final FlatBuffer.Vector metadata;
    private long tablesLeft;

    private ModelFile(ByteBuffer bytes) {
        buffer = new FlatBuffer(bytes);
        tablesLeft = buffer.size() / SMALLEST_TABLE;
        model = buffer.root();
        operatorCodes = tables(model, 1);
        subgraphs = tables(model, 2);
        buffers = tables(model, 4);
        metadata = tables(model, 6);
        tables(model, 7);
    }

    /**
     * Checks the whole file, and returns the JSON of our metadata.
     *
     * @param bytes all of the buffer, whatever its position
     * @return null if the file has none
     * @throws InvalidModelException the file is damaged, or no .tflite
     */
    static byte[] checkedMetadata(ByteBuffer bytes) throws InvalidModelException {
        if (bytes.capacity() == 0) {
            throw new InvalidModelException("the model is empty");
        }
        if (!isTflite(bytes)) {
            throw new InvalidModelException("the model is not a .tflite file: it does not carry the identifier TFL3");
        }
        try {
            ModelFile file = new ModelFile(bytes);
            file.check();
            return file.ownEntry();
        } catch (IndexOutOfBoundsException | ArithmeticException error) {
            throw malformed("an offset in it leads nowhere", error);
        } catch (FlatBuffer.BadFlatBuffer error) {
            throw malformed(error.getMessage(), error);
        }
    }

    private static InvalidModelException malformed(String why, Throwable cause) {
        return new InvalidModelException("the model is truncated or malformed: " + why, cause);
    }

    private static boolean isTflite(ByteBuffer bytes) {
        if (bytes.capacity() < IDENTIFIER_AT + IDENTIFIER.length) {
            return false;
        }
        for (int i = 0; i < IDENTIFIER.length; ++i) {
            if (bytes.get(IDENTIFIER_AT + i) != IDENTIFIER[i]) {
                return false;
            }
        }
        return true;
    }

    /** A vector of tables. One that several share counts each time, so that a small file costs little time. */
    private FlatBuffer.Vector tables(FlatBuffer.Table table, int field) {
        FlatBuffer.Vector found = table.vector(field, 4);
        tablesLeft -= found.count;
        if (tablesLeft < 0) {
            throw new FlatBuffer.BadFlatBuffer("it promises more tensors and operators than fit into its length");
        }
        return found;
    }

    /** A vector of integers, which counts too. */
    private FlatBuffer.Vector numbers(FlatBuffer.Table table, int field) {
        return tables(table, field);
    }

    private void check() {
        if (subgraphs.count == 0) {
            throw new FlatBuffer.BadFlatBuffer("it holds no subgraph");
        }
        for (int i = 0; i < buffers.count; ++i) {
            constantBytes(i);
        }
        for (int i = 0; i < metadata.count; ++i) {
            checkIndex("metadata buffer", metadata.getTable(i).getInt(1), buffers.count, 0);
        }
        for (int i = 0; i < operatorCodes.count; ++i) {
            operatorCodes.getTable(i);
        }
        for (int i = 0; i < subgraphs.count; ++i) {
            checkSubgraph(subgraphs.getTable(i));
        }
    }

    private void checkSubgraph(FlatBuffer.Table subgraph) {
        FlatBuffer.Vector tensors = tables(subgraph, 0);
        FlatBuffer.Vector inputs = numbers(subgraph, 1);
        FlatBuffer.Vector outputs = numbers(subgraph, 2);
        FlatBuffer.Vector operators = tables(subgraph, 3);
        // What no operator may write: the inputs, constants, and later on what one has written.
        boolean[] fixed = new boolean[tensors.count];
        for (int i = 0; i < tensors.count; ++i) {
            fixed[i] = checkTensor(tensors.getTable(i));
        }
        boolean[] read = new boolean[tensors.count];
        for (int i = 0; i < outputs.count; ++i) {
            read[checkIndex("output tensor", outputs.getInt(i), tensors.count, 0)] = true;
        }
        for (int i = 0; i < inputs.count; ++i) {
            fixed[checkIndex("input tensor", inputs.getInt(i), tensors.count, 0)] = true;
        }
        for (int i = 0; i < operators.count; ++i) {
            checkOperator(operators.getTable(i), tensors, read);
        }
        checkOrder(operators, fixed);
        checkReaders(operators, read);
    }

    /** Returns whether the tensor is a constant. */
    private boolean checkTensor(FlatBuffer.Table tensor) {
        FlatBuffer.Vector shape = numbers(tensor, 0);
        for (int i = 0; i < shape.count; ++i) {
            if (shape.getInt(i) < 0) {
                throw new FlatBuffer.BadFlatBuffer("a tensor's shape has the size " + shape.getInt(i));
            }
        }
        return constantBytes(checkIndex("buffer", tensor.getInt(2), buffers.count, 0)) > 0;
    }

    private long constantBytes(int index) {
        FlatBuffer.Table table = buffers.getTable(index);
        long offset = table.getLong(1);
        if (offset == 0 || offset == 1) { // none: 1 is what converters write before they know the place
            return table.vector(0, 1).count;
        }
        long size = table.getLong(2);
        if (offset < 0 || size < 0 || size > buffer.size() || offset > buffer.size() - size) {
            throw new FlatBuffer.BadFlatBuffer("a constant of it ends after the file");
        }
        return size;
    }

    /** Notes which tensors the operator reads. */
    private void checkOperator(FlatBuffer.Table operator, FlatBuffer.Vector tensors, boolean[] read) {
        int code = checkIndex("operator code", operator.getInt(0), operatorCodes.count, 0);
        FlatBuffer.Vector inputs = numbers(operator, 1);
        FlatBuffer.Vector outputs = numbers(operator, 2);
        for (int i = 0; i < inputs.count; ++i) {
            int tensor = checkIndex("operator input", inputs.getInt(i), tensors.count, ABSENT);
            if (tensor != ABSENT) {
                read[tensor] = true;
            }
        }
        for (int i = 0; i < outputs.count; ++i) {
            checkIndex("operator output", outputs.getInt(i), tensors.count, 0);
        }
        OperatorNeeds.check(operatorCodes.getTable(code), operator, tensors);
        if (operator.getLong(9) < 0 || operator.getLong(9) > 1) {
            throw new FlatBuffer.BadFlatBuffer("it keeps options of operators after the flatbuffer");
        }
    }

    private static void checkOrder(FlatBuffer.Vector operators, boolean[] fixed) {
        boolean[] later = new boolean[fixed.length];
        for (int i = 0; i < operators.count; ++i) {
            FlatBuffer.Vector outputs = operators.getTable(i).vector(2, 4);
            for (int at = 0; at < outputs.count; ++at) {
                later[outputs.getInt(at)] = true;
            }
        }
        for (int i = 0; i < operators.count; ++i) {
            FlatBuffer.Vector inputs = operators.getTable(i).vector(1, 4);
            FlatBuffer.Vector outputs = operators.getTable(i).vector(2, 4);
            for (int at = 0; at < inputs.count; ++at) {
                int tensor = inputs.getInt(at);
                if (tensor != ABSENT && later[tensor] && !fixed[tensor]) {
                    throw new FlatBuffer.BadFlatBuffer("an operator reads tensor " + tensor + " before another writes it");
                }
            }
            for (int at = 0; at < outputs.count; ++at) {
                int tensor = outputs.getInt(at);
                if (fixed[tensor]) {
                    throw new FlatBuffer.BadFlatBuffer(
                        "an operator writes tensor " + tensor + ", which has its content already");
                }
                fixed[tensor] = true;
            }
        }
    }

    /** XNNPACK of TensorFlow Lite 2.19 ends the process for an operator of whose outputs none is read. */
    private static void checkReaders(FlatBuffer.Vector operators, boolean[] read) {
        for (int i = 0; i < operators.count; ++i) {
            FlatBuffer.Vector outputs = operators.getTable(i).vector(2, 4);
            boolean anyRead = outputs.count == 0;
            for (int at = 0; at < outputs.count; ++at) {
                anyRead |= read[outputs.getInt(at)];
            }
            if (!anyRead) {
                throw new FlatBuffer.BadFlatBuffer("nothing reads what its operator " + i + " computes");
            }
        }
    }

    private static int checkIndex(String what, int index, int count, int lowest) {
        if (index < lowest || index >= count) {
            throw new FlatBuffer.BadFlatBuffer(what + " " + index + " is out of range: there are " + count);
        }
        return index;
    }

    private byte[] ownEntry() {
        byte[] wanted = ENTRY.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < metadata.count; ++i) {
            FlatBuffer.Table entry = metadata.getTable(i);
            FlatBuffer.Vector name = entry.vector(0, 1);
            if (name.count == wanted.length && Arrays.equals(name.toBytes(), wanted)) {
                return buffers.getTable(entry.getInt(1)).vector(0, 1).toBytes();
            }
        }
        return null;
    }
}
