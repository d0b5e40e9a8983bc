package org.mobilebnn.demo.benchmark;

import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.mobilebnn.TensorInfo;
import org.mobilebnn.TensorType;
import org.mobilebnn.demo.network.Engine;
import org.mobilebnn.demo.network.ModelEntry;
import org.mobilebnn.demo.network.Network;

/** Inputs of a network, with the outputs that were recorded for them when the app was built. */
final class References {
    private static final String FOLDER = "references/";

    private final AssetManager assets;
    private final ModelEntry entry;

    References(AssetManager assets, ModelEntry entry) {
        this.assets = assets;
        this.entry = entry;
    }

    /** Whether inputs were recorded: not for files of the user's. */
    boolean recorded() {
        return !entry.own();
    }

    /** One input for each sample; without a recording a single one of pseudo-random numbers. */
    List<ByteBuffer[]> inputs(Network network) throws IOException {
        List<TensorInfo> tensors = network.inputs();
        List<ByteBuffer[]> samples = new ArrayList<>();
        ByteBuffer all = recorded() ? read(FOLDER + entry.id) : null;
        int bytes = 0;
        for (TensorInfo tensor : tensors) {
            bytes = Math.addExact(bytes, Math.toIntExact(tensor.bytes));
        }
        if (all == null || bytes == 0 || all.capacity() % bytes != 0) {
            samples.add(random(tensors));
            return samples;
        }
        for (int at = 0; at < all.capacity(); at += bytes) {
            ByteBuffer[] sample = new ByteBuffer[tensors.size()];
            int from = at;
            for (int i = 0; i < sample.length; i++) {
                sample[i] = buffer((int) tensors.get(i).bytes);
                all.limit(from + sample[i].capacity()).position(from);
                sample[i].put(all.slice()).rewind();
                from += sample[i].capacity();
            }
            samples.add(sample);
        }
        return samples;
    }

    /** The outputs of all samples in turn, that were recorded for a form of the network. */
    ByteBuffer outputs(Engine engine) throws IOException {
        return read(FOLDER + entry.id + "." + engine.form);
    }

    /** What a network gives for samples, all outputs in turn. */
    static ByteBuffer computed(Network network, List<ByteBuffer[]> samples) {
        ByteBuffer[] outputs = outputsOf(network);
        int bytes = 0;
        for (ByteBuffer output : outputs) {
            bytes += output.capacity();
        }
        ByteBuffer all = buffer(Math.multiplyExact(bytes, samples.size()));
        for (ByteBuffer[] sample : samples) {
            network.run(sample, outputs);
            for (ByteBuffer output : outputs) {
                output.rewind();
                all.put(output);
                output.rewind();
            }
        }
        all.rewind();
        return all;
    }

    /** Buffers that a network writes into. */
    static ByteBuffer[] outputsOf(Network network) {
        List<TensorInfo> tensors = network.outputs();
        ByteBuffer[] buffers = new ByteBuffer[tensors.size()];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = buffer(Math.toIntExact(tensors.get(i).bytes));
        }
        return buffers;
    }

    private static ByteBuffer[] random(List<TensorInfo> tensors) {
        Random random = new Random(1);
        ByteBuffer[] sample = new ByteBuffer[tensors.size()];
        for (int i = 0; i < sample.length; i++) {
            sample[i] = buffer(Math.toIntExact(tensors.get(i).bytes));
            boolean floats = tensors.get(i).type == TensorType.FLOAT32;
            while (sample[i].remaining() >= 4) {
                sample[i].putInt(floats ? Float.floatToRawIntBits(2 * random.nextFloat() - 1) : random.nextInt());
            }
            sample[i].rewind();
        }
        return sample;
    }

    private ByteBuffer read(String name) throws IOException {
        try (InputStream stream = assets.open(name)) {
            byte[] part = new byte[8192];
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
                bytes.write(part, 0, count);
            }
            // The recording has the lowest byte first, as every processor that Android runs on.
            return ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
