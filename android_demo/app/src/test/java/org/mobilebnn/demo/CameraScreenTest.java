package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Matrix;
import android.hardware.camera2.CameraCharacteristics;
import android.media.ExifInterface;
import android.provider.Settings;
import java.util.ArrayList;
import java.util.List;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.draw.Raster;
import org.mobilebnn.demo.draw.Stroke;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;

/** What the Camera screen shows without a camera, without the permission, and of pictures from the gallery. */
@RunWith(RobolectricTestRunner.class)
public final class CameraScreenTest {
    /** Ink on paper, in a wide picture: a 6, which upside down is a 9. */
    private static Bitmap six() {
        Bitmap picture = Bitmap.createBitmap(900, 600, Bitmap.Config.ARGB_8888);
        picture.eraseColor(Color.rgb(226, 219, 205));
        Canvas canvas = new Canvas(picture);
        canvas.drawPath(new Stroke(DrawScreenTest.six()).path(360, 270, 118), Raster.pen(Color.rgb(30, 34, 60), 44));
        return picture;
    }

    private static Bitmap turned(Bitmap picture, int degrees) {
        Matrix matrix = new Matrix();
        matrix.setRotate(degrees);
        return Bitmap.createBitmap(picture, 0, 0, picture.getWidth(), picture.getHeight(), matrix, true);
    }

    @Test
    public void saysThatThereIsNoCamera() {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.camera);
            assertEquals("No camera here", demo.text(R.id.message_title));
            demo.inEveryForm(() -> {
                assertEquals(demo.activity().getString(R.string.error_no_camera_title), demo.text(R.id.message_title));
                demo.screenshot("camera-none");
            });
        }
    }

    @Test
    public void saysWhatARefusedPermissionMeans() {
        PhoneCamera.add("0", CameraCharacteristics.LENS_FACING_BACK, 90);
        shadowOf(RuntimeEnvironment.getApplication()).denyPermissions(Manifest.permission.CAMERA);
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.camera);
            assertFalse("it asks first", demo.shows(R.id.message));
            demo.activity().onRequestPermissionsResult(
                    1, new String[] {Manifest.permission.CAMERA}, new int[] {PackageManager.PERMISSION_DENIED});
            assertEquals("Camera not allowed", demo.text(R.id.message_title));
            assertFalse(demo.activity().shouldShowRequestPermissionRationale(Manifest.permission.CAMERA));
            demo.click(R.id.message_action);
            List<String> started = new ArrayList<>();
            for (Intent next = shadowOf(demo.activity()).getNextStartedActivity(); next != null;
                    next = shadowOf(demo.activity()).getNextStartedActivity()) {
                started.add(next.getAction());
            }
            assertTrue(started.toString(), started.contains(Settings.ACTION_APPLICATION_DETAILS_SETTINGS));
            demo.inEveryForm(() -> {
                assertEquals(demo.activity().getString(R.string.error_permission_title), demo.text(R.id.message_title));
                demo.screenshot("camera-refused");
            });
        }
    }

    @Test
    public void namesAPictureWhicheverWayItWasTaken() {
        int[][] cases = {
            {ExifInterface.ORIENTATION_NORMAL, 0},
            {ExifInterface.ORIENTATION_ROTATE_90, -90},
            {ExifInterface.ORIENTATION_ROTATE_180, 180},
            {ExifInterface.ORIENTATION_ROTATE_270, 90},
        };
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.camera);
            demo.click(R.id.message_action);
            for (int[] each : cases) {
                Files.choose(demo, "six" + each[0] + ".jpg", Files.jpeg(turned(six(), each[1]), each[0]));
                Demo.until("it is named", () -> demo.shows(R.id.prediction) && !demo.text(R.id.prediction).isEmpty());
                assertEquals("orientation " + each[0], "6", demo.text(R.id.prediction));
                demo.click(R.id.gallery);
            }
            demo.inEveryForm(() -> {
                Demo.until("it is named again", () -> demo.text(R.id.prediction).equals("6"));
                demo.screenshot("camera-picture");
            });
        }
    }

    @Test
    public void invertsWhatTheNetworkSees() {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.camera);
            demo.click(R.id.message_action);
            Files.choose(demo, "six.jpg", Files.jpeg(six(), ExifInterface.ORIENTATION_NORMAL));
            Demo.until("it is named", () -> demo.shows(R.id.prediction) && demo.text(R.id.prediction).equals("6"));
            CharSequence before = demo.view(R.id.bars).getContentDescription();
            demo.click(R.id.invert);
            Demo.until(
                    "it is named anew",
                    () -> !demo.text(R.id.prediction).isEmpty()
                            && !before.equals(demo.view(R.id.bars).getContentDescription()));
        }
    }

    @Test
    public void saysThatAPictureIsDamaged() {
        Demo.byDayAndNight(demo -> {
            demo.click(R.id.camera);
            demo.click(R.id.message_action);
            Files.choose(demo, "broken.jpg", new byte[] {1, 2, 3});
            Demo.until("it says so", () -> demo.shows(R.id.message));
            assertEquals("The picture cannot be read", demo.text(R.id.message_title));
            demo.screenshot("camera-unreadable");
        });
    }
}
