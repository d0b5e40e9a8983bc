package org.mobilebnn;

import org.tensorflow.lite.Delegate;

/**
 * Runs binary neural networks in TensorFlow Lite's own interpreter, up to 2.16 and in LiteRT 1.x:
 *
 * <pre>{@code
 * try (BnnDelegate delegate = new BnnDelegate();
 *         Interpreter interpreter = new Interpreter(model, new Interpreter.Options().addDelegate(delegate))) {
 *     interpreter.run(input, output);
 * }
 * }</pre>
 *
 * <p>LiteRT 2.x takes no delegates in Java; there {@link BnnInterpreter} runs the model. A delegate serves one
 * interpreter, and is closed after it.
 */
public final class BnnDelegate implements Delegate, AutoCloseable {
    private final NativeDelegate natives;
    private long handle;

    /** Makes a delegate of one thread and the best instruction set of this CPU. */
    public BnnDelegate() {
        this(new Options());
    }

    /**
     * Makes a delegate.
     *
     * @param options how it runs
     * @throws IllegalArgumentException the library, or this CPU, has no such instruction set
     */
    public BnnDelegate(Options options) {
        this(options, NativeDelegate.here());
    }

    BnnDelegate(Options options, NativeDelegate natives) {
        this.natives = natives;
        handle = natives.create(options.threads, options.instructionSet);
    }

    /**
     * The native delegate, a {@code TfLiteDelegate*}.
     *
     * @throws IllegalStateException it is closed
     */
    @Override
    public synchronized long getNativeHandle() {
        if (handle == 0) {
            throw new IllegalStateException("this delegate is closed");
        }
        return handle;
    }

    /** Frees the delegate. Close the interpreter that has it first. */
    @Override
    public synchronized void close() {
        if (handle != 0) {
            natives.destroy(handle);
            handle = 0;
        }
    }

    /** How a delegate runs. */
    public static final class Options {
        private int threads = 1;
        private String instructionSet;

        /**
         * Sets the threads of the binary operators; 1 where it is not called.
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
    }
}
