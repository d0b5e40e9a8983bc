package org.mobilebnn.demo.camera;

import android.app.Activity;
import android.graphics.SurfaceTexture;
import android.hardware.camera2.CameraAccessException;
import android.hardware.display.DisplayManager;
import android.os.Handler;
import android.os.Looper;
import android.view.Display;
import android.view.TextureView;
import org.mobilebnn.demo.view.AimView;

/** A camera in its view: the preview, upright however the phone is held, and what lies inside the frame for the network. */
public final class LivePreview
        implements CameraFeed.Listener, TextureView.SurfaceTextureListener, DisplayManager.DisplayListener {
    /** What comes of it. */
    public interface Listener {
        /** The camera runs; on the main thread. */
        void onStarted();

        /** What is inside the frame, upright: side * side pixels, opaque ARGB; on the camera's thread. */
        void onSquare(int[] pixels, int side);

        /** The camera did not start, or has stopped; on the main thread. */
        void onFailed(CameraFailure why);
    }

    private final TextureView view;
    private final AimView aim;
    private final int side;
    private final Listener listener;
    private final Display display;
    private final DisplayManager displays;
    private final CameraFeed feed;
    private volatile int rotation;
    private volatile float crop; // of a frame's width

    /**
     * Starts a camera as soon as the view has a surface; the permission has been given.
     *
     * @param id of the camera
     * @param side of the squares in pixels
     * @throws CameraAccessException it does not say what it can do
     */
    public LivePreview(Activity activity, TextureView view, AimView aim, String id, int side, Listener listener)
            throws CameraAccessException {
        this.view = view;
        this.aim = aim;
        this.side = side;
        this.listener = listener;
        display = activity.getWindowManager().getDefaultDisplay();
        displays = activity.getSystemService(DisplayManager.class);
        feed = new CameraFeed(activity, id, this);
        displays.registerDisplayListener(this, new Handler(Looper.getMainLooper()));
        view.setSurfaceTextureListener(this);
        if (view.isAvailable()) {
            onSurfaceTextureAvailable(view.getSurfaceTexture(), view.getWidth(), view.getHeight());
        }
    }

    /** Ends it. */
    public void close() {
        displays.unregisterDisplayListener(this);
        view.setSurfaceTextureListener(null);
        feed.close();
    }

    @Override
    public void onSurfaceTextureAvailable(SurfaceTexture texture, int width, int height) {
        place();
        feed.start(texture);
    }

    @Override
    public void onSurfaceTextureSizeChanged(SurfaceTexture texture, int width, int height) {
        place();
    }

    @Override
    public boolean onSurfaceTextureDestroyed(SurfaceTexture texture) {
        close();
        return true;
    }

    @Override
    public void onSurfaceTextureUpdated(SurfaceTexture texture) {}

    /** Turned from one side to the other, a phone keeps its layout, and only this tells. */
    @Override
    public void onDisplayChanged(int id) {
        if (id == display.getDisplayId()) {
            place();
        }
    }

    @Override
    public void onDisplayAdded(int id) {}

    @Override
    public void onDisplayRemoved(int id) {}

    private void place() {
        int turned = 90 * display.getRotation();
        int across = feed.preview.getWidth();
        int down = feed.preview.getHeight();
        int sensor = feed.sensorOrientation;
        int width = view.getWidth();
        int height = view.getHeight();
        view.setTransform(Orientation.ofPreview(width, height, across, down, sensor, turned));
        rotation = Orientation.ofFrame(sensor, turned, feed.front);
        crop = aim.side() / Orientation.scale(width, height, across, down, sensor, turned) / across;
    }

    @Override
    public void onStarted() {
        listener.onStarted();
    }

    @Override
    public void onFrame(FrameConverter.Frame frame) {
        listener.onSquare(FrameConverter.upright(frame, crop * frame.width(), rotation, false, side), side);
    }

    @Override
    public void onFailed(CameraFailure why) {
        listener.onFailed(why);
    }
}
