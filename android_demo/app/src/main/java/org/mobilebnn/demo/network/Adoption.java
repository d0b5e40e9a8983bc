package org.mobilebnn.demo.network;

import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Takes files of the user's into the store in the background, and tells the window that is shown then: neither a rotation
 * nor a look at another app loses the answer. Its methods are for the main thread.
 */
public final class Adoption {
    /** Is told of each file, on the main thread. */
    public interface Listener {
        /** The file is a network of the store now. */
        void onAdopted(ModelEntry entry);

        /** The file could not be taken. */
        void onRefused(FileProblem why);
    }

    private final ModelStore store;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final Queue<Consumer<Listener>> untold = new ArrayDeque<>();
    private Listener listener;

    /** Takes files into a store. */
    public Adoption(ModelStore store) {
        this.store = store;
    }

    /** Sets the listener, which is told of earlier files too; null removes it. */
    public void setListener(Listener newListener) {
        listener = newListener;
        tell();
    }

    /** Takes a file. */
    public void start(Uri uri) {
        Thread copying = new Thread(() -> {
            Consumer<Listener> news;
            try {
                ModelEntry entry = store.adopt(uri);
                news = told -> told.onAdopted(entry);
            } catch (FileProblem problem) {
                news = told -> told.onRefused(problem);
            }
            Consumer<Listener> answer = news;
            main.post(() -> {
                untold.add(answer);
                tell();
            });
        }, "adopt");
        copying.start();
    }

    private void tell() {
        while (listener != null && !untold.isEmpty()) {
            untold.remove().accept(listener);
        }
    }
}
