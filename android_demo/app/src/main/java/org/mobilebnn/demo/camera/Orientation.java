package org.mobilebnn.demo.camera;

import android.graphics.Matrix;
import android.graphics.RectF;

/** How what a camera sees is turned so that up is up, whichever way the phone is held. */
public final class Orientation {
    private Orientation() {}

    /**
     * By how many degrees a frame must be turned clockwise.
     *
     * @param sensor how the sensor is built in, in degrees, as the camera tells
     * @param display by how much the phone is turned from its natural position, in degrees: 0, 90, 180, 270
     * @param front whether the camera looks at the user
     * @return 0, 90, 180 or 270
     */
    public static int ofFrame(int sensor, int display, boolean front) {
        return (front ? sensor + display : sensor - display + 360) % 360;
    }

    /**
     * Puts a preview into a view without distortion: it fills the view, and what is too long is cut off.
     *
     * <p>A TextureView shows the picture upright for the phone's natural position, stretched to the view's size.
     *
     * @param bufferWidth of the preview; so are the others
     * @param sensor as above
     * @param display as above
     */
    public static Matrix ofPreview(int viewWidth, int viewHeight, int bufferWidth, int bufferHeight, int sensor, int display) {
        boolean across = sensor % 180 != 0;
        float width = across ? bufferHeight : bufferWidth;
        float height = across ? bufferWidth : bufferHeight;
        RectF view = new RectF(0, 0, viewWidth, viewHeight);
        RectF natural = new RectF(0, 0, width, height);
        natural.offset(view.centerX() - natural.centerX(), view.centerY() - natural.centerY());
        float scale = scale(viewWidth, viewHeight, bufferWidth, bufferHeight, sensor, display);
        Matrix matrix = new Matrix();
        matrix.setRectToRect(view, natural, Matrix.ScaleToFit.FILL);
        matrix.postScale(scale, scale, view.centerX(), view.centerY());
        matrix.postRotate(-display, view.centerX(), view.centerY());
        return matrix;
    }

    /** How many pixels of the view one of the preview takes. */
    public static float scale(int viewWidth, int viewHeight, int bufferWidth, int bufferHeight, int sensor, int display) {
        boolean across = (sensor + display) % 180 != 0;
        float width = across ? bufferHeight : bufferWidth;
        float height = across ? bufferWidth : bufferHeight;
        return Math.max(viewWidth / width, viewHeight / height);
    }
}
