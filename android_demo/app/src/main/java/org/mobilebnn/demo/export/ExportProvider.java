package org.mobilebnn.demo.export;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Serves records that are shared, read-only, and only to whom the user shared one with. */
public final class ExportProvider extends ContentProvider {
    private static final String AUTHORITY = "org.mobilebnn.demo.exports";
    private static final String FOLDER = "exports";
    private static final String TYPE = "application/json";

    /**
     * Keeps a record and gives the address under which another app reads it; the one before is forgotten.
     *
     * @param name of letters, digits, '-', '_' and '.'
     * @throws IOException the phone has no room
     */
    public static Uri write(Context context, String name, String json) throws IOException {
        File folder = new File(context.getCacheDir(), FOLDER);
        File[] before = folder.listFiles();
        if (before != null) {
            for (File old : before) {
                old.delete();
            }
        }
        folder.mkdirs();
        File record = new File(folder, name);
        try (OutputStream stream = new FileOutputStream(record)) {
            stream.write(json.getBytes(StandardCharsets.UTF_8));
        } catch (IOException full) {
            record.delete(); // it is incomplete
            throw full;
        }
        return new Uri.Builder().scheme("content").authority(AUTHORITY).appendPath(name).build();
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        if (!"r".equals(mode)) {
            throw new FileNotFoundException("records are read-only");
        }
        return ParcelFileDescriptor.open(file(uri), ParcelFileDescriptor.MODE_READ_ONLY);
    }

    @Override
    public Cursor query(Uri uri, String[] columns, String selection, String[] arguments, String order) {
        MatrixCursor cursor = new MatrixCursor(new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE});
        try {
            File file = file(uri);
            cursor.addRow(new Object[] {file.getName(), file.length()});
        } catch (FileNotFoundException missing) {
            return cursor;
        }
        return cursor;
    }

    private File file(Uri uri) throws FileNotFoundException {
        Context context = getContext();
        String name = uri.getLastPathSegment();
        boolean plain = name != null && uri.getPathSegments().size() == 1 && name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*");
        if (context == null || !plain) {
            throw new FileNotFoundException("there is no such record");
        }
        File file = new File(new File(context.getCacheDir(), FOLDER), name);
        if (!file.isFile()) {
            throw new FileNotFoundException("there is no such record");
        }
        return file;
    }

    @Override
    public String getType(Uri uri) {
        return TYPE;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int delete(Uri uri, String selection, String[] arguments) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
        throw new UnsupportedOperationException();
    }
}
