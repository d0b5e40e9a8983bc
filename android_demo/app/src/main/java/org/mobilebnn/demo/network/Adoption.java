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

        /**
         * The progress of a slow copy has changed.
         *
         * @param name of the file; null once no slow copy runs
         * @param percent copied; -1 if the size is unknown
         */
        void onCopying(String name, int percent);
    }

    private static final int A_WHILE_MS = 500;

    private final ModelStore store;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final Queue<Consumer<Listener>> untold = new ArrayDeque<>();
    private final Runnable takesAWhile = this::showProgress;
    private Listener listener;
    private int running;
    private boolean slow;
    private String name = "";
    private int percent = -1;

    /** Takes files into a store. */
    public Adoption(ModelStore store) {
        this.store = store;
    }

    /** Sets the listener, which is told of earlier files too; null removes it. */
    public void setListener(Listener newListener) {
        listener = newListener;
        tell();
        tellProgress();
    }

    /** Takes a file. */
    public void start(Uri uri) {
        running++;
        main.postDelayed(takesAWhile, A_WHILE_MS);
        Thread copying = new Thread(() -> {
            Consumer<Listener> news;
            try {
                ModelEntry entry = store.adopt(uri, new Copying());
                news = told -> told.onAdopted(entry);
            } catch (FileProblem problem) {
                news = told -> told.onRefused(problem);
            }
            Consumer<Listener> answer = news;
            main.post(() -> {
                untold.add(answer);
                end();
            });
        }, "adopt");
        copying.start();
    }

    private void end() {
        running--;
        if (running == 0) {
            main.removeCallbacks(takesAWhile);
            slow = false;
            name = "";
        }
        tellProgress();
        tell();
    }

    private void showProgress() {
        slow = true;
        tellProgress();
    }

    private void tellProgress() {
        if (listener != null) {
            listener.onCopying(slow && !name.isEmpty() ? name : null, percent);
        }
    }

    private void tell() {
        while (listener != null && !untold.isEmpty()) {
            untold.remove().accept(listener);
        }
    }

    /** Is told on the copying thread, and tells the main one of each percent. */
    private final class Copying implements ModelStore.Progress {
        private int last = -2;

        @Override
        public void onCopied(String file, long bytes, long of) {
            int now = of > 0 ? (int) Math.min(100, 100 * bytes / of) : -1;
            if (now != last) {
                last = now;
                main.post(() -> {
                    name = file;
                    percent = now;
                    tellProgress();
                });
            }
        }
    }
}
