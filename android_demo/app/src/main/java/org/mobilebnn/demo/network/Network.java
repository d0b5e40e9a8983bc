package org.mobilebnn.demo.network;

import android.graphics.Bitmap;
import java.nio.ByteBuffer;
import java.util.List;
import org.mobilebnn.Classification;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.TensorInfo;

/** A network that can be run; belongs to one thread at a time. Screens know this and no runtime. */
public interface Network extends AutoCloseable {
    /** How to feed it and what its outputs mean; null where the file does not say. */
    ModelMetadata metadata();

    /** The version of TensorFlow Lite that runs it. */
    String runtimeVersion();

    /** Its inputs. */
    List<TensorInfo> inputs();

    /** Its outputs. */
    List<TensorInfo> outputs();

    /**
     * The classes of a picture, the best first.
     *
     * @throws IllegalStateException the runtime fails, or the file does not say how to feed it
     */
    List<Classification> classify(Bitmap picture);

    /**
     * One inference.
     *
     * @param inputs direct buffers in native order, of the sizes of {@link #inputs}
     * @param outputs the same for {@link #outputs}
     * @throws IllegalStateException the runtime fails
     */
    void run(ByteBuffer[] inputs, ByteBuffer[] outputs);

    @Override
    void close();
}
