package org.mobilebnn.demo.network;

import android.graphics.Bitmap;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.mobilebnn.Classification;
import org.mobilebnn.InvalidModelException;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.TensorInfo;

/**
 * A network on a thread of its own that names one picture after the other.
 *
 * <p>It is always the newest picture that is named next: what came in between is dropped, so that what is shown never
 * lags behind the finger or the camera.
 */
public final class LiveClassifier {
    /** Makes the picture, on the classifier's thread. */
    public interface Picture {
        /** The picture; null for none. */
        Bitmap make();
    }

    /** Is called on the main thread, and no more after {@link #close}. */
    public interface Listener {
        /** The network runs; height and width of its input, and what its file says. */
        void onOpened(int height, int width, ModelMetadata metadata);

        /** A picture is named. */
        void onNamed(Bitmap picture, List<Classification> classes, double milliseconds);

        /** Nothing more will come: {@link InvalidModelException} or another IOException of the file, {@link NoMetadata},
         * {@link NotAClassifier}, OutOfMemoryError, LinkageError without a runtime, or what a broken one throws. */
        void onFailed(Throwable why);
    }

    /** The network takes no picture, or does not give classes. */
    public static final class NotAClassifier extends Exception {
        private static final long serialVersionUID = 1;
    }

    /** The file does not say what its inputs and outputs mean. */
    public static final class NoMetadata extends Exception {
        private static final long serialVersionUID = 1;
    }

    private final ModelStore store;
    private final NetworkOpener opener;
    private final Listener listener;
    private final HandlerThread thread = new HandlerThread("classifier");
    private final Handler worker;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final AtomicReference<Picture> next = new AtomicReference<>();
    private volatile boolean closed;
    private Network network; // of the worker

    /** Opens a network in the background. */
    public LiveClassifier(ModelStore store, NetworkOpener opener, ModelEntry entry, Listener listener) {
        this.store = store;
        this.opener = opener;
        this.listener = listener;
        thread.start();
        worker = new Handler(thread.getLooper());
        worker.post(() -> open(entry));
    }

    /** Names a picture, unless a newer one comes first. */
    public void submit(Picture picture) {
        if (!closed && next.getAndSet(picture) == null) {
            worker.post(this::nameNext);
        }
    }

    /** Frees the network when it is idle. */
    public void close() {
        closed = true;
        next.set(null);
        worker.post(
                () -> {
                    if (network != null) {
                        network.close();
                        network = null;
                    }
                });
        thread.quitSafely();
    }

    private void open(ModelEntry entry) {
        if (closed) {
            return;
        }
        try {
            network = opener.open(store.content(entry.forms.get(Engine.BINARY)), Engine.BINARY, 1);
            int[] shape = shapeOfPictures(network);
            ModelMetadata metadata = network.metadata();
            tell(() -> listener.onOpened(shape[1], shape[2], metadata));
        } catch (IOException | NoMetadata | NotAClassifier | RuntimeException | OutOfMemoryError | LinkageError why) {
            fail(why);
        }
    }

    private static int[] shapeOfPictures(Network network) throws NoMetadata, NotAClassifier {
        if (network.metadata() == null) {
            throw new NoMetadata();
        }
        List<TensorInfo> inputs = network.inputs();
        List<TensorInfo> outputs = network.outputs();
        int[] shape = inputs.size() == 1 ? inputs.get(0).shape() : new int[0];
        int[] classes = outputs.size() == 1 ? outputs.get(0).shape() : new int[0];
        boolean picture = shape.length == 4 && shape[0] == 1 && (shape[3] == 1 || shape[3] == 3);
        if (!picture || classes.length != 2 || classes[0] != 1) {
            throw new NotAClassifier();
        }
        return shape;
    }

    private void nameNext() {
        Picture picture = next.getAndSet(null);
        if (picture == null || network == null || closed) {
            return;
        }
        try {
            Bitmap bitmap = picture.make();
            if (bitmap == null) {
                return;
            }
            long began = System.nanoTime();
            List<Classification> classes = network.classify(bitmap);
            double milliseconds = (System.nanoTime() - began) / 1e6;
            tell(() -> listener.onNamed(bitmap, classes, milliseconds));
        } catch (RuntimeException | OutOfMemoryError why) {
            network.close();
            network = null;
            fail(why);
        }
    }

    private void fail(Throwable why) {
        tell(() -> listener.onFailed(why));
    }

    private void tell(Runnable news) {
        main.post(
                () -> {
                    if (!closed) {
                        news.run();
                    }
                });
    }
}
