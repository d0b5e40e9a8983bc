package org.mobilebnn;

import android.graphics.Bitmap;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Runs a .tflite model, binary or not, in the TensorFlow Lite or LiteRT library that the app has, whatever its version:
 *
 * <pre>{@code
 * try (BnnInterpreter interpreter = new BnnInterpreter(file, new BnnInterpreter.Options().setNumThreads(2))) {
 *     Classification best = interpreter.classify(bitmap).get(0);
 * }
 * }</pre>
 *
 * <p>The file may be of unknown origin: it is checked before the runtime sees it. Threads may share an interpreter; their
 * calls take turns. Call it from a thread of the background: loading takes tens of milliseconds, an inference a few.
 */
public final class BnnInterpreter implements AutoCloseable {
    private static final String IMAGE_FOLDER = "image_folder:"; // a data set whose images are all cropped
    private static final String CLASSIFICATION = "classification";
    private static final int ALIGNMENT = 4; // bytes: of the numbers in a model

    private final NativeInterpreter natives;
    private final ModelMetadata metadata;
    private final String runtimeVersion;
    private ByteBuffer model; // the runtime reads it as long as it lives
    private long handle;
    private TensorInfo[] inputs;
    private TensorInfo[] outputs;

    /**
     * Loads a model from memory.
     *
     * @param model the file's bytes, in a direct buffer: its remaining bytes, which are kept and must not change. They are
     *     copied where they do not begin at a multiple of 4 bytes.
     * @param options how it runs
     * @throws InvalidModelException the model is damaged, or the runtime refuses it
     * @throws IllegalArgumentException the buffer is not direct, or this CPU has no such instruction set
     * @throws IllegalStateException there is no TensorFlow Lite library
     */
    public BnnInterpreter(ByteBuffer model, Options options) throws InvalidModelException {
        this(model, options, null);
    }

    /**
     * Loads a model from a file, which is read whole.
     *
     * @param model the file
     * @param options how it runs
     * @throws InvalidModelException the model is damaged, or the runtime refuses it
     * @throws IOException the file cannot be read, or is too large for this device's memory
     * @throws IllegalArgumentException this CPU has no such instruction set
     * @throws IllegalStateException there is no TensorFlow Lite library
     */
    public BnnInterpreter(File model, Options options) throws IOException {
        this(read(model), options, null);
    }

    BnnInterpreter(ByteBuffer model, Options options, NativeInterpreter natives) throws InvalidModelException {
        if (!model.isDirect()) {
            throw new IllegalArgumentException("the model must be in a direct buffer: ByteBuffer.allocateDirect");
        }
        this.model = model.position() % ALIGNMENT == 0 ? whole(model) : copied(model);
        metadata = ModelMetadata.read(this.model);
        this.natives = natives == null ? NativeInterpreter.here() : natives;
        handle = this.natives.create(
            this.model, options.threads, options.delegate, options.instructionSet, options.runtimeLibrary);
        try {
            runtimeVersion = this.natives.runtimeVersion(handle);
            inputs = describe(false);
            outputs = describe(true);
            if (outputs.length == 0) {
                throw new InvalidModelException("the model has no outputs");
            }
        } catch (InvalidModelException | RuntimeException | Error error) {
            close();
            throw error;
        }
    }

    private static ByteBuffer read(File file) throws IOException {
        try (FileChannel channel = FileChannel.open(file.toPath(), StandardOpenOption.READ)) {
            long size = channel.size();
            if (size > Integer.MAX_VALUE) {
                throw new IOException(file + " is over 2 GB, which no .tflite is");
            }
            ByteBuffer bytes = ByteBuffer.allocateDirect((int) size);
            while (bytes.hasRemaining()) {
                if (channel.read(bytes) < 0) {
                    throw new EOFException(file + " became shorter while it was read");
                }
            }
            bytes.flip();
            return bytes;
        } catch (OutOfMemoryError error) {
            throw new IOException(file + " is too large for the memory of this device", error);
        }
    }

    /** The remaining bytes as a buffer of their own. */
    private static ByteBuffer whole(ByteBuffer buffer) {
        return buffer.position() == 0 && buffer.limit() == buffer.capacity() ? buffer : buffer.slice();
    }

    private TensorInfo[] describe(boolean output) throws InvalidModelException {
        TensorInfo[] found = new TensorInfo[natives.count(handle, output)];
        for (int i = 0; i < found.length; ++i) {
            String name = new String(natives.name(handle, output, i), StandardCharsets.UTF_8);
            long[] facts = natives.describe(handle, output, i);
            int[] shape = new int[facts.length - 3];
            for (int at = 0; at < shape.length; ++at) {
                shape[at] = (int) facts[3 + at];
            }
            TensorType type = TensorType.of(facts[0]);
            found[i] = new TensorInfo(name, type, shape, natives.scale(handle, output, i), (int) facts[1], facts[2]);
        }
        return found;
    }

    /**
     * What the file says of itself.
     *
     * @return null where it has no record of mobile_bnn
     */
    public ModelMetadata metadata() {
        return metadata;
    }

    /**
     * The version of the TensorFlow Lite or LiteRT library that runs the model, as that library tells it.
     *
     * @return such as 2.16.1
     */
    public String runtimeVersion() {
        return runtimeVersion;
    }

    /**
     * An input.
     *
     * @param i its number, from 0
     * @return what it is
     * @throws IndexOutOfBoundsException there is none
     */
    public TensorInfo input(int i) {
        return inputs[i];
    }

    /**
     * An output, as it was before the first inference.
     *
     * @param i its number, from 0
     * @return what it is
     * @throws IndexOutOfBoundsException there is none
     */
    public TensorInfo output(int i) {
        return outputs[i];
    }

    /**
     * How many inputs there are.
     *
     * @return 0 or more
     */
    public int inputCount() {
        return inputs.length;
    }

    /**
     * How many outputs there are.
     *
     * @return 1 or more
     */
    public int outputCount() {
        return outputs.length;
    }

    /**
     * Runs the model.
     *
     * @param given one buffer for each input, in native byte order: all of the bytes between its position and its limit,
     *     {@link TensorInfo#bytes} of them. Direct ones are read where they are, others are copied.
     * @param taken likewise for the outputs, which are written; positions and limits stay
     * @throws IllegalArgumentException there are more or fewer, or their sizes are wrong
     * @throws IllegalStateException the interpreter is closed, or the runtime fails
     */
    public synchronized void run(ByteBuffer[] given, ByteBuffer[] taken) {
        if (handle == 0) {
            throw new IllegalStateException("this interpreter is closed");
        }
        check("input", given, inputs);
        check("output", taken, outputs);
        ByteBuffer[] in = new ByteBuffer[given.length];
        ByteBuffer[] out = new ByteBuffer[taken.length];
        for (int i = 0; i < in.length; ++i) {
            in[i] = given[i].isDirect() ? whole(given[i]) : copied(given[i]);
        }
        for (int i = 0; i < out.length; ++i) {
            out[i] = taken[i].isDirect() ? whole(taken[i]) : ByteBuffer.allocateDirect(taken[i].remaining());
        }
        natives.run(handle, in, out);
        for (int i = 0; i < out.length; ++i) {
            if (!taken[i].isDirect()) {
                taken[i].duplicate().put(out[i]);
            }
        }
    }

    private static void check(String side, ByteBuffer[] buffers, TensorInfo[] tensors) {
        if (buffers.length != tensors.length) {
            throw new IllegalArgumentException(
                "the model has " + tensors.length + " " + side + "s, not " + buffers.length);
        }
        for (int i = 0; i < tensors.length; ++i) {
            if (buffers[i].remaining() != tensors[i].bytes) {
                throw new IllegalArgumentException("the " + side + " " + tensors[i].name + " has " + tensors[i].bytes
                    + " bytes, not " + buffers[i].remaining());
            }
            if (side.equals("output") && buffers[i].isReadOnly()) {
                throw new IllegalArgumentException("the buffer of the output " + tensors[i].name + " is read-only");
            }
        }
    }

    private static ByteBuffer copied(ByteBuffer buffer) {
        ByteBuffer copy = ByteBuffer.allocateDirect(buffer.remaining());
        copy.put(buffer.duplicate());
        copy.flip();
        return copy;
    }

    /**
     * Runs a model of one input.
     *
     * @param values of the input as the network takes them, so normalized: see {@link ModelMetadata.Normalization#apply}.
     *     They are quantized where the input is of bytes.
     * @return the first output, dequantized where it is of bytes
     * @throws IllegalArgumentException there are more or fewer values, or the model does not take and give such numbers
     * @throws IllegalStateException the interpreter is closed, or the runtime fails
     */
    public float[] predict(float[] values) {
        double[] found = firstOutput(values);
        float[] floats = new float[found.length];
        for (int i = 0; i < floats.length; ++i) {
            floats[i] = (float) found[i];
        }
        return floats;
    }

    private double[] firstOutput(float[] values) {
        if (inputs.length != 1) {
            throw new IllegalArgumentException("the model has " + inputs.length + " inputs: use run()");
        }
        ByteBuffer[] results = new ByteBuffer[outputs.length];
        for (int i = 0; i < results.length; ++i) {
            results[i] = ByteBuffer.allocateDirect(Math.toIntExact(outputs[i].bytes));
        }
        run(new ByteBuffer[] {TensorValues.toBytes(values, inputs[0])}, results);
        return TensorValues.fromBytes(results[0], outputs[0]);
    }

    /**
     * Names what is on an image, by the labels and with the normalization of the file.
     *
     * @param image of any size; its middle is cropped to the network's proportions and resized, as in tests after training
     * @return all classes, the most probable first; unmodifiable
     * @throws IllegalArgumentException the model has no metadata, or is not a classifier of one image
     * @throws IllegalStateException the interpreter is closed, or the runtime fails
     */
    public List<Classification> classify(Bitmap image) {
        int[] pixels = new int[Math.multiplyExact(image.getWidth(), image.getHeight())];
        image.getPixels(pixels, 0, image.getWidth(), 0, 0, image.getWidth(), image.getHeight());
        return classify(pixels, image.getHeight(), image.getWidth());
    }

    /**
     * Names what is on an image whose pixels are in an array, as {@link #classify(Bitmap)} does.
     *
     * @param argb the pixels, row by row; alpha, the upper 8 bits, is not looked at
     * @param height rows of the image
     * @param width columns of the image
     * @return all classes, the most probable first; unmodifiable
     * @throws IllegalArgumentException the sizes are wrong, the model has no metadata, or is not a classifier of one image
     * @throws IllegalStateException the interpreter is closed, or the runtime fails
     */
    public List<Classification> classify(int[] argb, int height, int width) {
        if (height < 1 || width < 1 || argb.length != (long) height * width) {
            throw new IllegalArgumentException(argb.length + " pixels are not " + height + " rows of " + width);
        }
        int[] shape = shapeOfClassifier();
        boolean folder = metadata.dataset != null && metadata.dataset.startsWith(IMAGE_FOLDER);
        float[] pixels = ImageFitting.fit(argb, height, width, shape[1], shape[2], shape[3], folder);
        return ClassScores.of(
            firstOutput(metadata.normalization.apply(pixels, shape[3])), outputs[0], metadata.labels);
    }

    /** The shape of the image, of a file that is a classifier of one. */
    private int[] shapeOfClassifier() {
        if (metadata == null) {
            throw new IllegalArgumentException(
                "the model does not say how to feed it: it has no record of mobile_bnn. Use predict() or run()");
        }
        if (metadata.task != null && !metadata.task.name.equals(CLASSIFICATION)) {
            throw new IllegalArgumentException("the model is for " + metadata.task.name + ", not for classification");
        }
        int[] shape = inputs.length == 1 ? inputs[0].shape() : new int[0];
        if (shape.length != 4 || shape[0] != 1 || (shape[3] != 1 && shape[3] != 3)) {
            throw new IllegalArgumentException("the model does not take one image");
        }
        int[] classes = outputs[0].shape();
        if (classes.length != 2 || classes[0] != 1 || classes[1] == 0) {
            throw new IllegalArgumentException("the model is not a classifier: its output is not one row of classes");
        }
        return shape;
    }

    /**
     * The instruction set that the binary operators run by default.
     *
     * @return neon_dot, neon (64-bit ARM), avx512, avx2, sse4 (x86) or portable
     */
    public static String kernel() {
        return NativeDelegate.here().kernel();
    }

    /**
     * The version of the library.
     *
     * @return such as 0.1.0
     */
    public static String version() {
        return NativeDelegate.here().version();
    }

    /** Frees the model; later calls are refused. Waits for a call that runs in another thread. */
    @Override
    public synchronized void close() {
        if (handle != 0) {
            natives.destroy(handle);
            handle = 0;
            model = null;
        }
    }

    /** How a model runs. */
    public static final class Options {
        private int threads = 1;
        private boolean delegate = true;
        private String instructionSet;
        private String runtimeLibrary;

        /**
         * Sets the threads of the binary operators and of XNNPACK; 1 where it is not called.
         *
         * @param number 1 to 256
         * @return this
         * @throws IllegalArgumentException it is another number
         */
        public Options setNumThreads(int number) {
            threads = Threads.checked(number);
            return this;
        }

        /**
         * Sets whether our delegate runs the binary operators; true where it is not called.
         *
         * @param on false: the runtime and its XNNPACK alone, to compare with; it refuses binary models
         * @return this
         */
        public Options setDelegate(boolean on) {
            delegate = on;
            return this;
        }

        /**
         * Sets the instruction set of the binary operators; the best of this CPU where it is not called.
         *
         * @param name {@code neon_dot}, {@code neon}, {@code avx512}, {@code avx2}, {@code sse4} or {@code portable};
         *     null: the best
         * @return this
         */
        public Options setInstructionSet(String name) {
            instructionSet = name;
            return this;
        }

        /**
         * Sets the library with TensorFlow Lite's C API; the usual ones are tried where it is not called.
         *
         * @param nameOrPath such as {@code libtensorflowlite_jni.so}; null: the usual ones
         * @return this
         */
        public Options setRuntimeLibrary(String nameOrPath) {
            runtimeLibrary = nameOrPath;
            return this;
        }
    }
}
