package org.mobilebnn.demo.camera;

import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraDevice;
import org.mobilebnn.demo.R;

/** Why a camera gives no picture, in words. */
public enum CameraFailure {
    /** Another app uses it, or as many cameras as the phone can run. */
    IN_USE(R.string.error_camera_in_use_title, R.string.error_camera_in_use_text),
    /** The phone's administrator does not allow it. */
    DISABLED(R.string.error_camera_disabled_title, R.string.error_camera_disabled_text),
    /** The permission was withdrawn. */
    REFUSED(R.string.error_permission_title, R.string.error_permission_text),
    /** It ran, and another app with more right took it, or it was unplugged. */
    LOST(R.string.error_camera_lost_title, R.string.error_camera_lost_text),
    /** The camera, or Android's camera service, reports a fault. */
    BROKEN(R.string.error_camera_broken_title, R.string.error_camera_broken_text);

    /** A resource: what happened. */
    public final int title;
    /** A resource: why, and what helps. */
    public final int text;

    CameraFailure(int title, int text) {
        this.title = title;
        this.text = text;
    }

    /** What the camera reports by {@link CameraDevice.StateCallback#onError}. */
    static CameraFailure ofError(int error) {
        switch (error) {
            case CameraDevice.StateCallback.ERROR_CAMERA_IN_USE:
            case CameraDevice.StateCallback.ERROR_MAX_CAMERAS_IN_USE:
                return IN_USE;
            case CameraDevice.StateCallback.ERROR_CAMERA_DISABLED:
                return DISABLED;
            default:
                return BROKEN;
        }
    }

    /** What a call to the camera threw. */
    public static CameraFailure of(Exception thrown) {
        if (thrown instanceof SecurityException) {
            return REFUSED;
        }
        if (!(thrown instanceof CameraAccessException)) {
            return BROKEN;
        }
        switch (((CameraAccessException) thrown).getReason()) {
            case CameraAccessException.CAMERA_IN_USE:
            case CameraAccessException.MAX_CAMERAS_IN_USE:
                return IN_USE;
            case CameraAccessException.CAMERA_DISABLED:
                return DISABLED;
            case CameraAccessException.CAMERA_DISCONNECTED:
                return LOST;
            default:
                return BROKEN;
        }
    }
}
