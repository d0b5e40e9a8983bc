package org.mobilebnn.demo;

import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Intent;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.graphics.Bitmap;
import android.media.ExifInterface;
import android.net.Uri;
import android.provider.OpenableColumns;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.Supplier;
import org.robolectric.shadows.ShadowActivity;
import org.robolectric.shadows.ShadowContentResolver;

/** Files that another app gives the demo. */
final class Files {
    private Files() {}

    /** Lets the user choose a file: the app must have asked for one. */
    static void choose(Demo demo, String name, Supplier<InputStream> content) {
        Uri uri = Uri.parse("content://documents/" + name);
        shadowOf(demo.activity().getContentResolver()).registerInputStreamSupplier(uri, content::get);
        ShadowActivity.IntentForResult asked = shadowOf(demo.activity()).getNextStartedActivityForResult();
        if (asked == null || !Intent.ACTION_OPEN_DOCUMENT.equals(asked.intent.getAction())) {
            throw new AssertionError("the app has not asked for a file");
        }
        shadowOf(demo.activity()).receiveResult(asked.intent, Activity.RESULT_OK, new Intent().setData(uri));
        Demo.idle();
    }

    static void choose(Demo demo, String name, byte[] content) {
        choose(demo, name, () -> new ByteArrayInputStream(content));
    }

    /** Lets the app that has the file tell its name and size. */
    static void describe(String name, long bytes) {
        ShadowContentResolver.registerProviderInternal("documents", new Described(name, bytes));
    }

    /** A JPEG whose EXIF record says how it is turned. */
    static byte[] jpeg(Bitmap picture, int orientation) {
        try {
            File file = File.createTempFile("picture", ".jpg");
            try (OutputStream stream = new FileOutputStream(file)) {
                picture.compress(Bitmap.CompressFormat.JPEG, 95, stream);
            }
            ExifInterface exif = new ExifInterface(file.getPath());
            exif.setAttribute(ExifInterface.TAG_ORIENTATION, String.valueOf(orientation));
            exif.saveAttributes();
            byte[] bytes = java.nio.file.Files.readAllBytes(file.toPath());
            file.delete();
            return bytes;
        } catch (IOException broken) {
            throw new AssertionError(broken);
        }
    }

    /** Knows one file. */
    private static final class Described extends ContentProvider {
        private final Object[] row;

        Described(String name, long bytes) {
            row = new Object[] {name, bytes};
        }

        @Override
        public Cursor query(Uri uri, String[] columns, String selection, String[] arguments, String order) {
            MatrixCursor cursor = new MatrixCursor(columns);
            MatrixCursor.RowBuilder known = cursor.newRow();
            known.add(OpenableColumns.DISPLAY_NAME, row[0]);
            known.add(OpenableColumns.SIZE, row[1]);
            return cursor;
        }

        @Override
        public boolean onCreate() {
            return true;
        }

        @Override
        public String getType(Uri uri) {
            return "application/octet-stream";
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
}
