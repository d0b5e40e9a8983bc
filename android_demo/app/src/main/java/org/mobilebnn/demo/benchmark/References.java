package org.mobilebnn.demo.benchmark;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.Reference;
import org.mobilebnn.ReferenceInputs;
import org.mobilebnn.TensorInfo;
import org.mobilebnn.TensorType;
import org.mobilebnn.demo.network.Network;

/** What a network is measured with: its reference inputs, and the outputs that its file records for them. */
final class References {
    private final ModelMetadata metadata;
    private final List<TensorInfo> inputs;
    private final List<TensorInfo> outputs;
    private final Reference reference;

    References(Network network) {
        metadata = network.metadata();
        inputs = network.inputs();
        outputs = network.outputs();
        reference = metadata == null ? null : metadata.reference;
    }

    /** Whether outputs are recorded in the file. */
    boolean recorded() {
        return reference != null;
    }

    private boolean comparable() {
        return recorded() && reference.fits(outputs) && ReferenceInputs.canFeed(inputs);
    }

    /** The inputs of each sample; of a file that does not say how to feed it a single one of pseudo-random numbers. */
    List<ByteBuffer[]> inputs() {
        List<ByteBuffer[]> samples = new ArrayList<>();
        if (metadata == null || !ReferenceInputs.canFeed(inputs)) {
            samples.add(random());
            return samples;
        }
        int count = comparable() ? reference.samples : 1;
        for (int sample = 0; sample < count; sample++) {
            samples.add(ReferenceInputs.of(inputs, metadata.normalization, sample));
        }
        return samples;
    }

    /** How the outputs of each sample compare with those that are recorded. */
    Parity compare(List<ByteBuffer[]> computed) {
        if (!comparable()) {
            return Parity.NONE; // what the file records is not of its outputs
        }
        List<ByteBuffer[]> expected = new ArrayList<>();
        for (int sample = 0; sample < reference.samples; sample++) {
            ByteBuffer[] each = new ByteBuffer[outputs.size()];
            for (int i = 0; i < each.length; i++) {
                each[i] = reference.output(sample, i);
            }
            expected.add(each);
        }
        return Parity.of(computed, expected, outputs);
    }

    /** What a network gives for each sample. */
    List<ByteBuffer[]> computed(Network network, List<ByteBuffer[]> samples) {
        List<ByteBuffer[]> all = new ArrayList<>();
        for (ByteBuffer[] sample : samples) {
            ByteBuffer[] given = buffers(outputs);
            network.run(sample, given);
            all.add(given);
        }
        return all;
    }

    /** Buffers that a network writes into. */
    ByteBuffer[] outputs() {
        return buffers(outputs);
    }

    private ByteBuffer[] random() {
        Random random = new Random(1);
        ByteBuffer[] sample = buffers(inputs);
        for (int i = 0; i < sample.length; i++) {
            boolean floats = inputs.get(i).type == TensorType.FLOAT32;
            while (sample[i].remaining() >= 4) {
                sample[i].putInt(floats ? Float.floatToRawIntBits(2 * random.nextFloat() - 1) : random.nextInt());
            }
            sample[i].rewind();
        }
        return sample;
    }

    private static ByteBuffer[] buffers(List<TensorInfo> tensors) {
        ByteBuffer[] buffers = new ByteBuffer[tensors.size()];
        for (int i = 0; i < buffers.length; i++) {
            int bytes = Math.toIntExact(tensors.get(i).bytes);
            buffers[i] = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        }
        return buffers;
    }
}
