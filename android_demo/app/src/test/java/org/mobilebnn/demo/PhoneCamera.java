package org.mobilebnn.demo;

import static org.robolectric.Shadows.shadowOf;

import android.content.Context;
import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.hardware.camera2.impl.CameraCaptureSessionImpl;
import android.hardware.camera2.impl.CameraDeviceImpl;
import android.media.Image;
import android.os.Handler;
import android.util.Size;
import android.view.Surface;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Executor;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.shadows.ShadowCameraCaptureSessionImpl;
import org.robolectric.shadows.ShadowCameraCharacteristics;
import org.robolectric.shadows.ShadowCameraDeviceImpl;
import org.robolectric.shadows.ShadowCameraManager;
import org.robolectric.shadows.ShadowImageReader;
import org.robolectric.shadows.StreamConfigurationMapBuilder;

/**
 * A camera of the phone, as far as Robolectric's stand-ins for Camera2 lack one: it gives frames to the surfaces of the
 * repeating request, opens when it is told to, and fails in every way that Android knows.
 *
 * <p>The classes in it replace Robolectric's where a test's {@code Config} names them.
 */
final class PhoneCamera {
    static final int WIDTH = 640;
    static final int HEIGHT = 480;

    private static final List<CameraDevice> opened = Collections.synchronizedList(new ArrayList<>());
    private static final List<Runnable> held = Collections.synchronizedList(new ArrayList<>());
    private static volatile boolean holding;
    private static volatile int error;
    private static volatile Exception refusal;
    private static volatile boolean refusing;
    private static volatile CameraDevice.StateCallback callback;
    private static volatile Executor executor;
    private static volatile List<Surface> outputs;
    private static volatile CaptureRequest request;
    private static volatile Image.Plane[] frame;

    private PhoneCamera() {}

    /** Forgets what earlier tests did. */
    static void reset() {
        opened.clear();
        held.clear();
        holding = false;
        error = 0;
        refusal = null;
        refusing = false;
        callback = null;
        executor = null;
        outputs = null;
        request = null;
        frame = null;
    }

    /** Builds a camera into the phone. */
    static void add(String id, int facing, int sensorOrientation) {
        CameraCharacteristics facts = ShadowCameraCharacteristics.newCameraCharacteristics();
        ShadowCameraCharacteristics shadow = Shadow.extract(facts);
        shadow.set(CameraCharacteristics.LENS_FACING, facing);
        shadow.set(CameraCharacteristics.SENSOR_ORIENTATION, sensorOrientation);
        shadow.set(
                CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP,
                StreamConfigurationMapBuilder.newBuilder()
                        .addOutputSize(ImageFormat.PRIVATE, new Size(WIDTH, HEIGHT))
                        .addOutputSize(ImageFormat.YUV_420_888, new Size(WIDTH, HEIGHT))
                        .build());
        Context context = RuntimeEnvironment.getApplication();
        shadowOf(context.getSystemService(CameraManager.class)).addCamera(id, facts);
    }

    /** Lets cameras take their time to open, until {@link #goOn}. */
    static void hold() {
        holding = true;
    }

    /** What was held happens. */
    static void goOn() {
        holding = false;
        while (!held.isEmpty()) {
            held.remove(0).run();
        }
    }

    /** The next camera that is opened reports an error instead. */
    static void failWith(int code) {
        error = code;
    }

    /** Opening the next camera throws. */
    static void throwWhenOpened(Exception thrown) {
        refusal = thrown;
    }

    /** The next session cannot be configured. */
    static void refuseSession() {
        refusing = true;
    }

    /** The camera that runs reports an error. */
    static void breakDown(int code) {
        CameraDevice device = opened.get(opened.size() - 1);
        executor.execute(() -> callback.onError(device, code));
    }

    /** Whether a session is configured, with a request that repeats. */
    static boolean runs() {
        return request != null;
    }

    /** The surfaces that frames go to. */
    static List<Surface> targets() {
        return new ArrayList<>(request.getTargets());
    }

    /** How many cameras were opened. */
    static int openedCount() {
        return opened.size();
    }

    /** How many of them are closed. */
    static int closedCount() {
        int count = 0;
        for (CameraDevice each : new ArrayList<>(opened)) {
            count += ((Device) Shadow.extract(each)).isClosed() ? 1 : 0;
        }
        return count;
    }

    /** Whether every camera that was opened is closed. */
    static boolean allClosed() {
        return closedCount() == openedCount();
    }

    /** Takes a frame: into the surfaces of the repeating request, of which the session must know. */
    static void give(Image.Plane[] planes) {
        frame = planes;
        for (Surface target : targets()) {
            if (!outputs.contains(target)) {
                throw new AssertionError("the request names a surface that the session does not have");
            }
            if (target.getClass().getName().endsWith("ShadowImageReader$FakeSurface")) { // the other is the preview's
                target.unlockCanvasAndPost(null);
            }
        }
    }

    /** Opens cameras late, with errors, or not at all. */
    @Implements(CameraManager.class)
    public static final class Manager extends ShadowCameraManager {
        @Override
        @Implementation
        protected CameraDevice openCameraDeviceUserAsync(
                String id, CameraDevice.StateCallback told, Executor by, int uid, int oomScore) {
            if (refusal != null) {
                Exception thrown = refusal;
                refusal = null;
                throw PhoneCamera.<RuntimeException>unchecked(thrown);
            }
            int code = error;
            error = 0;
            CameraDevice.StateCallback answer = code == 0 ? told : new Failing(told, code);
            CameraDevice device = super.openCameraDeviceUserAsync(id, answer, does -> when(by, does), uid, oomScore);
            opened.add(device);
            callback = told;
            executor = by;
            request = null;
            return device;
        }

        private static void when(Executor by, Runnable does) {
            if (holding) {
                held.add(() -> by.execute(does));
            } else {
                by.execute(does);
            }
        }
    }

    /** The method throws a CameraAccessException that its stand-in does not declare. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T unchecked(Exception thrown) throws T {
        throw (T) thrown;
    }

    private static final class Failing extends CameraDevice.StateCallback {
        private final CameraDevice.StateCallback told;
        private final int code;

        Failing(CameraDevice.StateCallback told, int code) {
            this.told = told;
            this.code = code;
        }

        @Override
        public void onOpened(CameraDevice device) {
            told.onError(device, code);
        }

        @Override
        public void onClosed(CameraDevice device) {
            told.onClosed(device);
        }

        @Override
        public void onDisconnected(CameraDevice device) {}

        @Override
        public void onError(CameraDevice device, int other) {}
    }

    /** Keeps the surfaces of a session. */
    @Implements(CameraDeviceImpl.class)
    public static final class Device extends ShadowCameraDeviceImpl {
        private volatile boolean closed;

        @Override
        @Implementation
        protected void createCaptureSession(
                List<Surface> surfaces, CameraCaptureSession.StateCallback told, Handler handler)
                throws CameraAccessException {
            outputs = new ArrayList<>(surfaces);
            if (refusing) {
                refusing = false;
                handler.post(() -> told.onConfigureFailed(null));
                return;
            }
            super.createCaptureSession(surfaces, told, handler);
        }

        @Override
        @Implementation
        protected void close() {
            super.close();
            closed = true;
        }

        boolean isClosed() {
            return closed;
        }
    }

    /** Keeps the request that repeats. */
    @Implements(CameraCaptureSessionImpl.class)
    public static final class Session extends ShadowCameraCaptureSessionImpl {
        @Override
        @Implementation
        protected int setRepeatingRequest(
                CaptureRequest repeated, CameraCaptureSession.CaptureCallback told, Handler handler)
                throws CameraAccessException {
            request = repeated;
            return super.setRepeatingRequest(repeated, told, handler);
        }
    }

    /** An image of an ImageReader has the planes of the frame that was taken. */
    @Implements(className = "android.media.ImageReader$SurfaceImage")
    public static final class Frame extends ShadowImageReader.ShadowSurfaceImage {
        @Implementation
        protected Image.Plane[] getPlanes() {
            return frame;
        }
    }
}
