package org.mobilebnn.demo.camera;

import android.annotation.SuppressLint;
import android.content.Context;
import android.graphics.ImageFormat;
import android.graphics.SurfaceTexture;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.hardware.camera2.params.StreamConfigurationMap;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import android.util.Size;
import android.view.Surface;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One camera's picture by Camera2: a preview for people, and frames for the network. */
public final class CameraFeed {
    /** What comes of it. */
    public interface Listener {
        /** The camera runs; on the main thread. */
        void onStarted();

        /** A frame, on the camera's thread; it is gone when this returns. */
        void onFrame(FrameConverter.Frame frame);

        /** The camera did not start, or has stopped; on the main thread. */
        void onFailed(CameraFailure why);
    }

    private static final int LARGEST_PREVIEW = 1600;
    private static final int LARGEST_FRAME = 720;

    private final CameraManager manager;
    private final String id;
    private final Listener listener;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final HandlerThread thread = new HandlerThread("camera");
    private final Handler handler;
    /** The preview's size, as the sensor lies. */
    public final Size preview;
    /** How the sensor is built in, in degrees. */
    public final int sensorOrientation;
    /** Whether it looks at the user. */
    public final boolean front;
    private final ImageReader reader;
    private Surface surface;
    private CameraDevice device;
    private boolean opening; // whether Android has yet to say if the camera is open
    private boolean closed;

    /** The cameras that there are, those that look away from the user first; none where Android does not tell. */
    public static List<String> cameras(Context context) {
        List<String> ids = new ArrayList<>();
        CameraManager manager = context.getSystemService(CameraManager.class);
        if (manager == null) {
            return ids;
        }
        try {
            for (String id : manager.getCameraIdList()) {
                CameraCharacteristics facts = manager.getCameraCharacteristics(id);
                if (facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP) == null) {
                    continue; // a depth sensor or the like
                }
                ids.add(isFront(facts) ? ids.size() : 0, id);
            }
        } catch (CameraAccessException | RuntimeException unwilling) {
            return ids;
        }
        return ids;
    }

    /**
     * A camera, not yet started.
     *
     * @throws CameraAccessException it does not say what it can do
     */
    public CameraFeed(Context context, String id, Listener listener) throws CameraAccessException {
        this.id = id;
        this.listener = listener;
        manager = context.getSystemService(CameraManager.class);
        CameraCharacteristics facts = manager.getCameraCharacteristics(id);
        StreamConfigurationMap sizes = facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP);
        Integer orientation = facts.get(CameraCharacteristics.SENSOR_ORIENTATION);
        sensorOrientation = orientation == null ? 90 : orientation;
        front = isFront(facts);
        preview = best(sizes == null ? null : sizes.getOutputSizes(SurfaceTexture.class), LARGEST_PREVIEW);
        Size frame = best(sizes == null ? null : sizes.getOutputSizes(ImageFormat.YUV_420_888), LARGEST_FRAME);
        reader = ImageReader.newInstance(frame.getWidth(), frame.getHeight(), ImageFormat.YUV_420_888, 2);
        thread.start();
        handler = new Handler(thread.getLooper());
        reader.setOnImageAvailableListener(this::onImage, handler);
    }

    private static boolean isFront(CameraCharacteristics facts) {
        Integer facing = facts.get(CameraCharacteristics.LENS_FACING);
        return facing != null && facing == CameraCharacteristics.LENS_FACING_FRONT;
    }

    /** The largest of 4 : 3 within the bound, for preview and frames must show the same. */
    static Size best(Size[] sizes, int bound) {
        Size best = null;
        for (Size size : sizes == null ? new Size[0] : sizes) {
            boolean fits = size.getWidth() <= bound && size.getWidth() * 3 == size.getHeight() * 4;
            if (fits && (best == null || size.getWidth() > best.getWidth())) {
                best = size;
            }
        }
        return best == null ? new Size(640, 480) : best; // which every camera has to give
    }

    /** Starts it, once; the permission has been given. */
    @SuppressLint("MissingPermission")
    public synchronized void start(SurfaceTexture texture) {
        if (closed || surface != null) {
            return;
        }
        texture.setDefaultBufferSize(preview.getWidth(), preview.getHeight());
        surface = new Surface(texture);
        opening = true;
        try {
            manager.openCamera(id, new Opened(), handler);
        } catch (CameraAccessException | RuntimeException unwilling) {
            opening = false;
            fail(CameraFailure.of(unwilling));
        }
    }

    /** Ends it. A camera that is just being opened is closed as soon as it is. */
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (device != null) {
            device.close();
        } else if (!opening) {
            thread.quitSafely(); // otherwise once the camera is closed: what it says goes to this thread
        }
        reader.close();
        if (surface != null) {
            surface.release();
        }
    }

    private synchronized void onImage(ImageReader from) {
        if (closed) {
            return;
        }
        try (Image image = from.acquireLatestImage()) {
            if (image != null) {
                listener.onFrame(frame(image));
            }
        } catch (IllegalStateException | UnsupportedOperationException unreadable) {
            fail(CameraFailure.BROKEN);
        }
    }

    private static FrameConverter.Frame frame(Image image) {
        Image.Plane[] planes = image.getPlanes();
        ByteBuffer[] bytes = new ByteBuffer[3];
        int[] rows = new int[3];
        int[] pixels = new int[3];
        for (int i = 0; i < 3; i++) {
            bytes[i] = planes[i].getBuffer();
            rows[i] = planes[i].getRowStride();
            pixels[i] = planes[i].getPixelStride();
        }
        return new FrameConverter.Frame(bytes, rows, pixels, image.getWidth(), image.getHeight());
    }

    private void fail(CameraFailure why) {
        tell(() -> listener.onFailed(why));
    }

    private void tell(Runnable news) {
        main.post(() -> {
            if (!closed) {
                news.run();
            }
        });
    }

    /** What becomes of the camera; on the camera's thread. */
    private final class Opened extends CameraDevice.StateCallback {
        @Override
        @SuppressWarnings("deprecation") // the other way needs Android 9
        public void onOpened(CameraDevice opened) {
            synchronized (CameraFeed.this) {
                opening = false;
                device = opened;
                if (closed) {
                    opened.close();
                    return;
                }
                try {
                    opened.createCaptureSession(Arrays.asList(surface, reader.getSurface()), new Configured(), handler);
                } catch (CameraAccessException | RuntimeException unwilling) {
                    fail(CameraFailure.of(unwilling));
                }
            }
        }

        @Override
        public void onDisconnected(CameraDevice lost) {
            end(lost, CameraFailure.LOST);
        }

        @Override
        public void onError(CameraDevice broken, int error) {
            end(broken, CameraFailure.ofError(error));
        }

        private void end(CameraDevice ended, CameraFailure why) {
            synchronized (CameraFeed.this) {
                opening = false;
                device = ended;
                ended.close();
                fail(why);
            }
        }

        @Override
        public void onClosed(CameraDevice gone) {
            synchronized (CameraFeed.this) {
                device = null;
                if (closed) {
                    thread.quitSafely();
                }
            }
        }
    }

    private final class Configured extends CameraCaptureSession.StateCallback {
        @Override
        public void onConfigured(CameraCaptureSession session) {
            synchronized (CameraFeed.this) {
                if (closed || device == null) {
                    return;
                }
                try {
                    CaptureRequest.Builder request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
                    request.addTarget(surface);
                    request.addTarget(reader.getSurface());
                    int focus = CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE;
                    request.set(CaptureRequest.CONTROL_AF_MODE, focus);
                    session.setRepeatingRequest(request.build(), null, handler);
                    tell(listener::onStarted);
                } catch (CameraAccessException | RuntimeException unwilling) {
                    fail(CameraFailure.of(unwilling));
                }
            }
        }

        @Override
        public void onConfigureFailed(CameraCaptureSession session) {
            fail(CameraFailure.BROKEN);
        }
    }
}
