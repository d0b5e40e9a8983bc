package org.mobilebnn.demo.camera;

import android.graphics.Bitmap;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.demo.draw.DrawStyle;

/** How a square of what the camera sees becomes the picture that a network takes. */
public final class NetworkInput {
    private static final String IMAGE_FOLDER = "image_folder:";

    private final int height;
    private final int width;
    private final DrawStyle style;

    /**
     * The input of a network.
     *
     * @param height of the network's input in pixels; so is the width
     * @param metadata what its file says
     */
    public NetworkInput(int height, int width, ModelMetadata metadata) {
        // Tests after training crop the images of a folder once more, so they must be larger by as much.
        boolean folder = metadata.dataset != null && metadata.dataset.startsWith(IMAGE_FOLDER);
        this.height = folder ? height * 8 / 7 : height;
        this.width = folder ? width * 8 / 7 : width;
        style = DrawStyle.of(metadata.dataset);
    }

    /** How many pixels the side of the square should have, at least. */
    public int side() {
        return digits() ? InkPicture.SIDE : Math.max(width, height);
    }

    /** Whether the network was trained on white strokes on black, and so must be shown dark ink on paper inverted. */
    public boolean usuallyInverted() {
        return !style.darkOnLight;
    }

    private boolean digits() {
        return style.subject == DrawStyle.Subject.DIGIT;
    }

    /**
     * The picture.
     *
     * @param square of any side
     * @param inverted whether light becomes dark
     */
    public Bitmap of(Bitmap square, boolean inverted) {
        if (!digits()) {
            return NetworkPicture.of(square, width, height, inverted);
        }
        Bitmap small = NetworkPicture.of(square, InkPicture.SIDE, InkPicture.SIDE, false);
        return InkPicture.of(small, width, height, inverted, style.extent);
    }
}
