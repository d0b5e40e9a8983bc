package org.mobilebnn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a model's maker saw it compute for inputs that anyone can generate, one inference for each sample: a device that
 * gives the same bits computes the same model. {@link ReferenceInputs} makes the inputs.
 */
public final class Reference {
    static final Set<String> FIELDS = Collections.unmodifiableSet(new HashSet<>(Arrays.asList("samples", "outputs")));
    private static final int MOST_SAMPLES = 16;
    private static final int MOST_BYTES = 1 << 16; // of all outputs, as Python's reader has it

    /** How many inferences. */
    public final int samples;
    private final byte[][] outputs;

    Reference(Fields fields) throws Fields.Unfit {
        fields.refuseOthers(FIELDS);
        long count = fields.count("samples");
        if (count < 1 || count > MOST_SAMPLES) {
            throw new Fields.Unfit("reference.samples is not one of 1 to " + MOST_SAMPLES);
        }
        samples = (int) count;
        List<String> texts = fields.textList("outputs");
        if (texts.isEmpty()) {
            throw new Fields.Unfit("reference.outputs is empty");
        }
        outputs = new byte[texts.size()][];
        long bytes = 0;
        for (int i = 0; i < outputs.length; ++i) {
            outputs[i] = decoded(texts.get(i));
            if (outputs[i].length == 0 || outputs[i].length % samples != 0) {
                throw new Fields.Unfit(
                    "reference.outputs: " + outputs[i].length + " bytes are not those of " + samples + " samples");
            }
            bytes += outputs[i].length;
        }
        if (bytes > MOST_BYTES) {
            throw new Fields.Unfit("reference.outputs have more than " + MOST_BYTES + " bytes");
        }
    }

    private static byte[] decoded(String text) throws Fields.Unfit {
        try {
            byte[] bytes = Base64.getDecoder().decode(text);
            if (Base64.getEncoder().encodeToString(bytes).equals(text)) { // Java and Python take different liberties
                return bytes;
            }
        } catch (IllegalArgumentException error) {
            throw new Fields.Unfit("reference.outputs: an output is not base64: " + error.getMessage());
        }
        throw new Fields.Unfit("reference.outputs: an output is not base64 as it is written");
    }

    /**
     * Whether these are the outputs that it is of: as many, of as many bytes.
     *
     * @param tensors the model's outputs, in the order of {@link BnnInterpreter#output}
     * @return false of another model's
     */
    public boolean fits(List<TensorInfo> tensors) {
        boolean fitting = tensors.size() == outputs.length;
        for (int i = 0; fitting && i < outputs.length; ++i) {
            fitting = tensors.get(i).bytes == outputs[i].length / samples;
        }
        return fitting;
    }

    /**
     * What an output is for one sample.
     *
     * @param sample its number, from 0
     * @param output the number of the output, as in {@link BnnInterpreter#output}
     * @return its bytes, numbers with the lowest byte first; read-only
     * @throws IndexOutOfBoundsException there is no such sample or output
     */
    public ByteBuffer output(int sample, int output) {
        if (sample < 0 || sample >= samples) {
            throw new IndexOutOfBoundsException("sample " + sample + " of " + samples);
        }
        int size = outputs[output].length / samples;
        return ByteBuffer.wrap(outputs[output], sample * size, size).slice().asReadOnlyBuffer()
            .order(ByteOrder.LITTLE_ENDIAN);
    }
}
