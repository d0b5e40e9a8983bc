package org.mobilebnn.demo.camera;

import android.content.ContentResolver;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Matrix;
import android.media.ExifInterface;
import android.net.Uri;
import java.io.IOException;
import java.io.InputStream;

/** Reads a picture of the user's: as small as will do, upright by its EXIF record. */
public final class StillImage {
    private StillImage() {}

    /**
     * The picture.
     *
     * @param most pixels of the longer side, at most; it is not made larger
     * @throws IOException it is damaged, of a kind that Android does not know, or cannot be reached
     */
    public static Bitmap read(ContentResolver resolver, Uri uri, int most) throws IOException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inJustDecodeBounds = true;
        decode(resolver, uri, options);
        if (options.outWidth <= 0 || options.outHeight <= 0) {
            throw new IOException("not a picture");
        }
        options.inJustDecodeBounds = false;
        options.inSampleSize = 1;
        while (Math.max(options.outWidth, options.outHeight) / options.inSampleSize > 2 * most) {
            options.inSampleSize *= 2; // decoding all of it might take more memory than there is
        }
        Bitmap decoded = decode(resolver, uri, options);
        if (decoded == null) {
            throw new IOException("damaged");
        }
        Matrix matrix = upright(orientation(resolver, uri));
        float scale = Math.min(1, (float) most / Math.max(decoded.getWidth(), decoded.getHeight()));
        matrix.postScale(scale, scale);
        return Bitmap.createBitmap(decoded, 0, 0, decoded.getWidth(), decoded.getHeight(), matrix, true);
    }

    private static Bitmap decode(ContentResolver resolver, Uri uri, BitmapFactory.Options options) throws IOException {
        try (InputStream stream = resolver.openInputStream(uri)) {
            return BitmapFactory.decodeStream(stream, null, options);
        } catch (SecurityException | IllegalArgumentException | IllegalStateException anotherApps) {
            throw new IOException(anotherApps);
        }
    }

    /** A damaged record turns nothing. */
    private static int orientation(ContentResolver resolver, Uri uri) {
        try (InputStream stream = resolver.openInputStream(uri)) {
            if (stream == null) {
                return ExifInterface.ORIENTATION_NORMAL;
            }
            int normal = ExifInterface.ORIENTATION_NORMAL;
            return new ExifInterface(stream).getAttributeInt(ExifInterface.TAG_ORIENTATION, normal);
        } catch (IOException | RuntimeException damaged) {
            return ExifInterface.ORIENTATION_NORMAL;
        }
    }

    private static Matrix upright(int orientation) {
        Matrix matrix = new Matrix();
        switch (orientation) {
            case ExifInterface.ORIENTATION_FLIP_HORIZONTAL:
                matrix.setScale(-1, 1);
                break;
            case ExifInterface.ORIENTATION_ROTATE_180:
                matrix.setRotate(180);
                break;
            case ExifInterface.ORIENTATION_FLIP_VERTICAL:
                matrix.setScale(1, -1);
                break;
            case ExifInterface.ORIENTATION_TRANSPOSE:
                matrix.setRotate(90);
                matrix.postScale(-1, 1);
                break;
            case ExifInterface.ORIENTATION_ROTATE_90:
                matrix.setRotate(90);
                break;
            case ExifInterface.ORIENTATION_TRANSVERSE:
                matrix.setRotate(-90);
                matrix.postScale(-1, 1);
                break;
            case ExifInterface.ORIENTATION_ROTATE_270:
                matrix.setRotate(-90);
                break;
            default:
                break;
        }
        return matrix;
    }
}
