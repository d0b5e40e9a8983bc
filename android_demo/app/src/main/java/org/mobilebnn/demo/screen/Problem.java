package org.mobilebnn.demo.screen;

import android.content.Context;
import android.text.format.Formatter;
import java.io.IOException;
import org.mobilebnn.InvalidModelException;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.network.FileProblem;
import org.mobilebnn.demo.network.LiveClassifier;
import org.mobilebnn.demo.network.ModelStore;

/** What went wrong, in words: a title, a sentence that says why and what helps, and up to two things to do. */
public final class Problem {
    final int icon;
    final String title;
    final String text;
    String action;
    Runnable onAction;
    String second;
    Runnable onSecond;

    Problem(int icon, String title, String text) {
        this.icon = icon;
        this.title = title;
        this.text = text;
    }

    /** With something that the user can do about it. */
    public Problem action(String label, Runnable does) {
        action = label;
        onAction = does;
        return this;
    }

    /** With something else that the user can do. */
    public Problem second(String label, Runnable does) {
        second = label;
        onSecond = does;
        return this;
    }

    /** The app has no networks. */
    static Problem noModel(Context context) {
        return of(context, R.string.error_no_model_title, context.getString(R.string.error_no_model_text));
    }

    /**
     * Why a network does not run.
     *
     * @param name of the network, as the user knows it
     */
    public static Problem of(Context context, String name, Throwable why) {
        if (why instanceof FileProblem) {
            return ofFile(context, (FileProblem) why);
        }
        if (why instanceof OutOfMemoryError) {
            return of(context, R.string.error_memory_title, context.getString(R.string.error_memory_text, name));
        }
        if (why instanceof LiveClassifier.NoMetadata) {
            return of(
                    context, R.string.error_no_metadata_title, context.getString(R.string.error_no_metadata_text, name));
        }
        if (why instanceof LiveClassifier.NotAClassifier) {
            return of(context, R.string.error_task_title, context.getString(R.string.error_task_text, name));
        }
        String message = String.valueOf(why.getMessage());
        if (why instanceof LinkageError) {
            return of(context, R.string.error_no_runtime_title, context.getString(R.string.error_no_runtime_text));
        }
        if (why instanceof InvalidModelException || why instanceof RuntimeException) {
            return of(context, R.string.error_corrupt_title, context.getString(R.string.error_corrupt_text, name, message));
        }
        return of(
                context, R.string.error_unreadable_title, context.getString(R.string.error_unreadable_text, name, message));
    }

    /** Whether the file is broken, and not the phone too small or the network one for other uses. */
    public static boolean isOfFile(Throwable why) {
        return why instanceof IOException || why instanceof RuntimeException;
    }

    private static Problem ofFile(Context context, FileProblem problem) {
        switch (problem.kind) {
            case TOO_LARGE:
                String most = Formatter.formatShortFileSize(context, ModelStore.MOST_BYTES);
                return of(
                        context,
                        R.string.error_too_large_title,
                        context.getString(R.string.error_too_large_text, problem.file, most));
            case NO_ROOM:
                return of(
                        context, R.string.error_no_room_title, context.getString(R.string.error_no_room_text, problem.file));
            default:
                return of(
                        context,
                        R.string.error_unreadable_title,
                        context.getString(R.string.error_unreadable_text, problem.file, problem.getMessage()));
        }
    }

    private static Problem of(Context context, int title, String text) {
        return new Problem(R.drawable.ic_warning, context.getString(title), text);
    }
}
