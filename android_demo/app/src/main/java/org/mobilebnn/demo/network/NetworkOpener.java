package org.mobilebnn.demo.network;

import java.nio.ByteBuffer;
import org.mobilebnn.InvalidModelException;

/** Makes networks of files. The app's own takes the runtime that the APK brings; a test on a PC takes the PC's. */
public interface NetworkOpener {
    /**
     * Opens a network.
     *
     * @param file all of a .tflite file, in a direct buffer that stays as it is
     * @param engine which kernels run it
     * @param threads 1 or more
     * @throws InvalidModelException it is damaged, or the engine cannot run it
     * @throws LinkageError the library, or the runtime, does not load on this phone
     */
    Network open(ByteBuffer file, Engine engine, int threads) throws InvalidModelException;

    /** The kernels that binary networks run on here, such as neon_dot. */
    String kernel();

    /** The version of our library. */
    String version();
}
