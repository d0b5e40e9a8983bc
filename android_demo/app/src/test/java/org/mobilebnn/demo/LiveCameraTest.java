package org.mobilebnn.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.content.pm.PackageManager;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.SurfaceTexture;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.media.Image;
import android.view.Surface;
import android.view.TextureView;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.draw.Raster;
import org.mobilebnn.demo.draw.Stroke;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.shadows.ShadowDisplay;
import org.robolectric.shadows.ShadowImageReader;

/** The live camera from the opening to the prediction, and every way in which it ends. */
@RunWith(RobolectricTestRunner.class)
@Config(shadows = {
    PhoneCamera.Manager.class, PhoneCamera.Device.class, PhoneCamera.Session.class, PhoneCamera.Frame.class,
    ShadowImageReader.class, // in the place of the native one, which has no way to give it a frame
})
public final class LiveCameraTest {
    private static final int BACK = CameraCharacteristics.LENS_FACING_BACK;
    private static final int FRONT = CameraCharacteristics.LENS_FACING_FRONT;

    @Before
    public void allow() {
        PhoneCamera.reset();
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA);
    }

    /** Whatever happened: the screen is gone, and so are its camera and that one's thread. */
    @After
    public void leavesNothing() {
        Demo.until("the camera is closed", PhoneCamera::allClosed);
        Demo.until("its thread ends", () -> Thread.getAllStackTraces().keySet().stream().noneMatch(
                thread -> thread.getName().equals("camera")));
    }

    /** What the camera sees: a 6 of ink on paper, so much of it as the frame that the network sees shows. */
    static Bitmap scene(boolean tall) {
        int width = tall ? PhoneCamera.HEIGHT : PhoneCamera.WIDTH;
        int height = tall ? PhoneCamera.WIDTH : PhoneCamera.HEIGHT;
        Bitmap picture = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        picture.eraseColor(Color.rgb(226, 219, 205));
        float side = 240;
        float left = (width - side) / 2;
        float top = (height - side) / 2;
        new Canvas(picture).drawPath(new Stroke(DrawScreenTest.six()).path(side, left, top), Raster.pen(0xff1e223c, 28));
        return picture;
    }

    static void show(Demo demo) {
        demo.click(R.id.camera);
        surface(demo);
    }

    /** Once the camera is wanted the preview gets its surface, which Robolectric's TextureView does not make. */
    static void surface(Demo demo) {
        TextureView preview = demo.view(R.id.preview);
        Demo.until("the network runs", () -> preview.getSurfaceTextureListener() != null);
        demo.layOut();
        preview.setSurfaceTexture(new SurfaceTexture(0));
        preview.getSurfaceTextureListener()
                .onSurfaceTextureAvailable(preview.getSurfaceTexture(), preview.getWidth(), preview.getHeight());
        Demo.idle();
    }

    static void runs(Demo demo) {
        String says = demo.activity().getString(R.string.camera_aim);
        Demo.until("the camera runs", () -> PhoneCamera.runs() && demo.text(R.id.hint).equals(says));
    }

    static void names(Demo demo, Image.Plane[] frame, String label) {
        Demo.until("a frame is named " + label, () -> {
            PhoneCamera.give(frame);
            return demo.text(R.id.prediction).equals(label);
        });
    }

    private static void says(Demo demo, String title) {
        Demo.until("it says: " + title, () -> demo.shows(R.id.message) && demo.text(R.id.message_title).equals(title));
    }

    @Test
    public void namesWhatTheCameraSees() {
        PhoneCamera.add("0", BACK, 90);
        try (Demo demo = new Demo("+en")) {
            show(demo);
            runs(demo);
            List<Surface> targets = PhoneCamera.targets();
            assertEquals("preview and frames", 2, targets.size());
            Image.Plane[] frame = Yuv.of(scene(true), 90);
            names(demo, frame, "6");
            Demo.until("the frames are counted", () -> {
                PhoneCamera.give(frame);
                return demo.text(R.id.latency).contains("frames/s");
            });
            assertTrue(demo.text(R.id.latency), demo.text(R.id.latency).matches("[0-9.,]+ ms\n[0-9.,]+ frames/s"));
            demo.screenshot("camera-rate");
            String spoken = demo.view(R.id.bars).getContentDescription().toString();
            assertEquals(spoken, 3, spoken.split(";").length);
            assertTrue(spoken, spoken.startsWith("Probabilities: 6: "));
            demo.click(R.id.draw);
            leavesNothing();
            for (Surface each : targets) {
                assertTrue("the preview's surface is released", each.getClass() != Surface.class || !each.isValid());
            }
        }
    }

    @Test
    public void seesUprightHoweverThePhoneIsHeld() {
        PhoneCamera.add("0", BACK, 90);
        try (Demo demo = new Demo("+en")) {
            show(demo);
            runs(demo);
            turn(Surface.ROTATION_90);
            demo.become(Demo.LANDSCAPE);
            Demo.until("the first one is closed", PhoneCamera::allClosed);
            surface(demo);
            runs(demo);
            assertEquals(2, PhoneCamera.openedCount());
            names(demo, Yuv.of(scene(false), 0), "6");
            Image.Plane[] overhead = Yuv.of(scene(false), 180);
            Demo.until("upside down it is something else", () -> {
                PhoneCamera.give(overhead);
                return !demo.text(R.id.prediction).equals("6");
            });
            MainActivity before = demo.activity();
            turn(Surface.ROTATION_270); // from one side to the other: the window stays
            names(demo, overhead, "6");
            assertEquals(before, demo.activity());
        }
    }

    private static void turn(int rotation) {
        shadowOf(ShadowDisplay.getDefaultDisplay()).setRotation(rotation);
        Demo.idle();
    }

    @Test
    public void seesUprightByTheOtherCamera() {
        PhoneCamera.add("0", BACK, 90);
        PhoneCamera.add("1", FRONT, 270);
        try (Demo demo = new Demo("+en")) {
            show(demo);
            runs(demo);
            demo.click(R.id.switch_camera);
            Demo.until("the first one is closed", PhoneCamera::allClosed);
            surface(demo);
            runs(demo);
            names(demo, Yuv.of(scene(true), 270), "6");
        }
    }

    @Test
    public void looksWellInEveryForm() {
        PhoneCamera.add("0", BACK, 90);
        PhoneCamera.add("1", FRONT, 270);
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.camera);
            demo.inEveryForm(() -> {
                surface(demo);
                runs(demo);
                int rotation = (450 - 90 * ShadowDisplay.getDefaultDisplay().getRotation()) % 360;
                names(demo, Yuv.of(scene(rotation % 180 != 0), rotation), "6");
                demo.screenshot("camera-live");
            });
        }
    }

    @Test
    public void saysThatTheCameraIsLost() {
        PhoneCamera.add("0", BACK, 90);
        Demo.byDayAndNight(demo -> {
            show(demo);
            runs(demo);
            shadowOf(demo.activity().getSystemService(CameraManager.class)).triggerDisconnect();
            says(demo, "The camera is gone");
            leavesNothing();
            demo.screenshot("camera-lost");
            demo.click(R.id.message_action);
            surface(demo);
            runs(demo);
            names(demo, Yuv.of(scene(true), 90), "6");
        });
    }

    @Test
    public void saysWhyTheCameraDoesNotOpen() {
        PhoneCamera.add("0", BACK, 90);
        int[] codes = {
            CameraDevice.StateCallback.ERROR_CAMERA_IN_USE,
            CameraDevice.StateCallback.ERROR_MAX_CAMERAS_IN_USE,
            CameraDevice.StateCallback.ERROR_CAMERA_DISABLED,
            CameraDevice.StateCallback.ERROR_CAMERA_DEVICE,
            CameraDevice.StateCallback.ERROR_CAMERA_SERVICE,
        };
        String[] titles = {
            "The camera is in use", "The camera is in use", "The camera is switched off", "The camera does not work",
            "The camera does not work",
        };
        Demo.byDayAndNight(demo -> {
            for (int i = 0; i < codes.length; i++) {
                PhoneCamera.failWith(codes[i]);
                show(demo);
                says(demo, titles[i]);
                leavesNothing();
                demo.screenshot("camera-error-" + codes[i]);
                demo.click(R.id.draw);
            }
        });
    }

    @Test
    public void saysThatTheRunningCameraBreaks() {
        PhoneCamera.add("0", BACK, 90);
        try (Demo demo = new Demo("+de")) {
            show(demo);
            Demo.until("it runs", PhoneCamera::runs);
            PhoneCamera.breakDown(CameraDevice.StateCallback.ERROR_CAMERA_SERVICE);
            says(demo, "Die Kamera geht nicht");
        }
    }

    @Test
    public void saysThatTheCameraTakesNoSession() {
        PhoneCamera.add("0", BACK, 90);
        PhoneCamera.refuseSession();
        try (Demo demo = new Demo("+en")) {
            show(demo);
            says(demo, "The camera does not work");
        }
    }

    @Test
    public void saysWhatOpeningThrows() {
        PhoneCamera.add("0", BACK, 90);
        Object[][] cases = {
            {new CameraAccessException(CameraAccessException.CAMERA_IN_USE), "The camera is in use"},
            {new CameraAccessException(CameraAccessException.CAMERA_DISABLED), "The camera is switched off"},
            {new CameraAccessException(CameraAccessException.CAMERA_DISCONNECTED), "The camera is gone"},
            {new CameraAccessException(CameraAccessException.CAMERA_ERROR), "The camera does not work"},
            {new IllegalArgumentException("no such camera"), "The camera does not work"},
            {new SecurityException("not allowed any more"), "Camera not allowed"},
        };
        try (Demo demo = new Demo("+en")) {
            for (Object[] each : cases) {
                PhoneCamera.throwWhenOpened((Exception) each[0]);
                show(demo);
                says(demo, (String) each[1]);
                leavesNothing();
                demo.click(R.id.draw);
            }
        }
        assertEquals(0, PhoneCamera.openedCount());
    }

    @Test
    public void closesACameraThatOpensTooLate() {
        PhoneCamera.add("0", BACK, 90);
        PhoneCamera.hold();
        Demo.byDayAndNight(demo -> {
            show(demo);
            assertEquals("Starting the camera…", demo.text(R.id.hint));
            demo.screenshot("camera-starting");
            demo.click(R.id.draw);
            assertFalse("it is not open yet", PhoneCamera.allClosed());
            PhoneCamera.goOn();
            leavesNothing();
            assertFalse("no session began", PhoneCamera.runs());
            PhoneCamera.hold();
        });
        assertEquals(2, PhoneCamera.openedCount());
    }

    @Test
    public void opensAgainWhenTurnedWhileItOpens() {
        PhoneCamera.add("0", BACK, 90);
        PhoneCamera.hold();
        try (Demo demo = new Demo("+en")) {
            show(demo);
            turn(Surface.ROTATION_90);
            demo.become(Demo.LANDSCAPE);
            surface(demo);
            PhoneCamera.goOn();
            runs(demo);
            assertEquals(2, PhoneCamera.openedCount());
            Demo.until("the first one is closed", () -> PhoneCamera.closedCount() == 1);
            names(demo, Yuv.of(scene(false), 0), "6");
        }
    }

    @Test
    public void asksAgainWhenThePermissionIsWithdrawnInTheBackground() {
        PhoneCamera.add("0", BACK, 90);
        try (Demo demo = new Demo("+en")) {
            show(demo);
            runs(demo);
            demo.controller.pause().stop();
            leavesNothing();
            shadowOf(RuntimeEnvironment.getApplication()).denyPermissions(Manifest.permission.CAMERA);
            demo.controller.restart().resume();
            demo.layOut();
            String[] asked = shadowOf(demo.activity()).getLastRequestedPermission().requestedPermissions;
            assertArrayEquals(new String[] {Manifest.permission.CAMERA}, asked);
            demo.activity().onRequestPermissionsResult(
                    1, new String[] {Manifest.permission.CAMERA}, new int[] {PackageManager.PERMISSION_DENIED});
            says(demo, "Camera not allowed");
            shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA);
            demo.controller.pause().stop().restart().resume(); // allowed in the settings
            surface(demo);
            runs(demo);
            names(demo, Yuv.of(scene(true), 90), "6");
        }
    }
}
