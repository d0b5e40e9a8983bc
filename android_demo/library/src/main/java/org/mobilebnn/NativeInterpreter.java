package org.mobilebnn;

import java.nio.ByteBuffer;

/**
 * The interpreter's native functions; tests run them elsewhere by overriding them.
 *
 * <p>Nothing is checked here but sizes: {@link BnnInterpreter} passes no network that is destroyed, and no index that is
 * out of range.
 */
class NativeInterpreter {
    /** Returns the address of a network; the model is a direct buffer, all of it, that must stay. */
    native long create(ByteBuffer model, int threads, boolean delegate, String isa, String runtimeLibrary)
        throws InvalidModelException;

    native void destroy(long network);

    /** Returns the version of TensorFlow Lite that runs the network. */
    native String runtimeVersion(long network);

    native int count(long network, boolean outputs);

    /** Returns a tensor's name, of any bytes. */
    native byte[] name(long network, boolean outputs, int i);

    /** Returns a tensor's type, zero point and bytes, then its shape. */
    native long[] describe(long network, boolean outputs, int i);

    native float scale(long network, boolean outputs, int i);

    /** Runs the network on direct buffers, all of each. */
    native void run(long network, ByteBuffer[] inputs, ByteBuffer[] outputs);

    /** The functions of this process. */
    static NativeInterpreter here() {
        NativeLibrary.load();
        return new NativeInterpreter();
    }
}
