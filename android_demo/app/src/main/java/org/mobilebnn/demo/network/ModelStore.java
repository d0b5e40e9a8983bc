package org.mobilebnn.demo.network;

import android.content.ContentResolver;
import android.content.Context;
import android.content.SharedPreferences;
import android.content.res.AssetFileDescriptor;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** The networks that can be chosen: those of the APK, and the last file that the user opened, of which a copy is kept. */
public final class ModelStore {
    /** The largest file that is opened. */
    public static final long MOST_BYTES = 64_000_000;

    /** Receives the progress of a copy. */
    public interface Progress {
        /**
         * A part of the file was copied.
         *
         * @param name of the file
         * @param bytes copied so far
         * @param of the size in bytes; 0 if it is unknown
         */
        void onCopied(String name, long bytes, long of);
    }

    private static final String OWN = "own";
    private static final int MOST_NAME = 80;

    private final Context context;
    private final SharedPreferences preferences;
    private final List<ModelEntry> packaged;
    private final Object copying = new Object(); // one file after the other

    /** The networks in the app's assets. */
    public ModelStore(Context context) {
        this(context, Catalogue.read(context.getAssets()));
    }

    /** An app that was built with these networks. */
    public ModelStore(Context context, List<ModelEntry> packaged) {
        this.context = context;
        this.packaged = packaged;
        preferences = context.getSharedPreferences("networks", Context.MODE_PRIVATE);
    }

    /** All networks, the user's own file first. */
    public synchronized List<ModelEntry> entries() {
        List<ModelEntry> all = new ArrayList<>();
        ModelEntry own = own();
        if (own != null) {
            all.add(own);
        }
        all.addAll(packaged);
        return all;
    }

    /** The network that is chosen; the first that names pictures where none was, null where there is none. */
    public ModelEntry chosen() {
        String id = preferences.getString("chosen", "");
        ModelEntry first = null;
        for (ModelEntry entry : entries()) {
            if (entry.id.equals(id)) {
                return entry;
            }
            if (first == null && entry.classifier && !entry.own()) {
                first = entry;
            }
        }
        return first;
    }

    /** Chooses a network, also for the next start of the app. */
    public void choose(ModelEntry entry) {
        preferences.edit().putString("chosen", entry.id).apply();
    }

    /**
     * The content of a form, in a direct buffer: mapped where it lies as it is, read where the APK has it compressed.
     *
     * @throws IOException it cannot be read
     * @throws OutOfMemoryError it does not fit
     */
    public ByteBuffer content(ModelEntry.Form form) throws IOException {
        if (form.file != null) {
            if (!form.file.isFile()) {
                throw new IOException("the file is no longer there");
            }
            try (FileInputStream stream = new FileInputStream(form.file)) {
                return read(stream, form.bytes);
            }
        }
        try (AssetFileDescriptor stored = context.getAssets().openFd(form.asset);
                FileInputStream stream = stored.createInputStream()) {
            FileChannel channel = stream.getChannel();
            return channel.map(FileChannel.MapMode.READ_ONLY, stored.getStartOffset(), stored.getDeclaredLength());
        } catch (IOException compressed) {
            try (InputStream stream = context.getAssets().open(form.asset)) {
                return read(stream, form.bytes);
            }
        }
    }

    /**
     * Copies a file of the user's into the app and lists it, instead of the one before.
     *
     * @param progress is called on this thread
     * @throws FileProblem it is too large, cannot be read, or finds no room
     */
    public ModelEntry adopt(Uri uri, Progress progress) throws FileProblem {
        String name = displayName(uri);
        synchronized (copying) {
            File part = new File(context.getFilesDir(), "own.part");
            try {
                String hash = copy(uri, part, name, progress);
                keep(part, name, hash);
                return own();
            } finally {
                part.delete(); // of which nothing is left where it was kept
            }
        }
    }

    private synchronized void keep(File part, String name, String hash) throws FileProblem {
        File kept = ownFile(hash);
        kept.getParentFile().mkdirs();
        if (!part.renameTo(kept)) {
            throw new FileProblem(FileProblem.Kind.NO_ROOM, name, "it cannot be kept");
        }
        deleteOwnBut(kept);
        preferences.edit().putString("own_name", name).putString("own_sha256", hash).apply();
    }

    /** Forgets the user's file, which turned out to be none that can be run. */
    public synchronized void forgetOwn() {
        deleteOwnBut(null);
        preferences.edit().remove("own_name").remove("own_sha256").apply();
    }

    private void deleteOwnBut(File kept) {
        File[] files = new File(context.getFilesDir(), OWN).listFiles();
        for (File file : files == null ? new File[0] : files) {
            if (!file.equals(kept)) {
                file.delete();
            }
        }
    }

    private synchronized ModelEntry own() {
        String name = preferences.getString("own_name", null);
        String hash = preferences.getString("own_sha256", "");
        File file = ownFile(hash);
        if (name == null || !file.isFile()) {
            return null;
        }
        ModelEntry.Form form = new ModelEntry.Form(null, file, file.length(), hash, "");
        return new ModelEntry(OWN, name, "", true, Collections.singletonMap(Engine.BINARY, form));
    }

    /** Named by its content: what is being measured does not become another file under its name. */
    private File ownFile(String hash) {
        return new File(new File(context.getFilesDir(), OWN), hash + ".tflite");
    }

    /** Returns the SHA-256 of what was copied, in hexadecimal. */
    private String copy(Uri uri, File to, String name, Progress progress) throws FileProblem {
        long size = statedSize(uri);
        progress.onCopied(name, 0, size);
        if (size > MOST_BYTES) {
            throw new FileProblem(FileProblem.Kind.TOO_LARGE, name, "too large");
        }
        long count = 0;
        byte[] part = new byte[1 << 16];
        try (InputStream from = context.getContentResolver().openInputStream(uri);
                OutputStream into = new FileOutputStream(to)) {
            if (from == null) {
                throw new IOException("nothing opens it");
            }
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (int read = from.read(part); read >= 0; read = from.read(part)) {
                count += read;
                if (count > MOST_BYTES) { // whatever its provider stated
                    throw new FileProblem(FileProblem.Kind.TOO_LARGE, name, "too large");
                }
                digest.update(part, 0, read);
                write(into, part, read, name);
                progress.onCopied(name, count, size);
            }
            return String.format(Locale.ROOT, "%064x", new BigInteger(1, digest.digest()));
        } catch (FileProblem problem) {
            throw problem;
        } catch (IOException | RuntimeException | NoSuchAlgorithmException unreadable) { // by another app's provider
            throw new FileProblem(FileProblem.Kind.UNREADABLE, name, String.valueOf(unreadable.getMessage()));
        }
    }

    private static void write(OutputStream into, byte[] part, int count, String name) throws FileProblem {
        try {
            into.write(part, 0, count);
        } catch (IOException full) {
            throw new FileProblem(FileProblem.Kind.NO_ROOM, name, String.valueOf(full.getMessage()));
        }
    }

    private String displayName(Uri uri) {
        String name = null;
        try (Cursor cursor = query(uri, OpenableColumns.DISPLAY_NAME)) {
            if (cursor != null && cursor.moveToFirst()) {
                name = cursor.getString(0);
            }
        } catch (RuntimeException anotherApps) {
            name = null;
        }
        if (name == null) {
            name = String.valueOf(uri.getLastPathSegment());
        }
        name = name.replaceAll("\\p{Cntrl}", " ").trim();
        return name.length() > MOST_NAME ? name.substring(0, MOST_NAME) + "…" : name;
    }

    private long statedSize(Uri uri) {
        try (Cursor cursor = query(uri, OpenableColumns.SIZE)) {
            return cursor != null && cursor.moveToFirst() ? cursor.getLong(0) : 0;
        } catch (RuntimeException anotherApps) {
            return 0;
        }
    }

    private Cursor query(Uri uri, String column) {
        ContentResolver resolver = context.getContentResolver();
        return resolver.query(uri, new String[] {column}, null, null, null);
    }

    private static ByteBuffer read(InputStream stream, long bytes) throws IOException {
        if (bytes > MOST_BYTES) {
            throw new IOException("it is too large");
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) bytes);
        byte[] part = new byte[1 << 16];
        while (buffer.hasRemaining()) {
            int count = stream.read(part, 0, Math.min(part.length, buffer.remaining()));
            if (count < 0) {
                throw new IOException("it ends early");
            }
            buffer.put(part, 0, count);
        }
        buffer.rewind();
        return buffer;
    }
}
