package org.mobilebnn.demo.screen;

import android.content.Intent;
import android.graphics.Bitmap;
import android.hardware.camera2.CameraAccessException;
import android.net.Uri;
import android.os.Bundle;
import android.provider.Settings;
import android.view.View;
import android.widget.ImageView;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import org.mobilebnn.Classification;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.demo.MainActivity;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.camera.CameraFailure;
import org.mobilebnn.demo.camera.CameraFeed;
import org.mobilebnn.demo.camera.LivePreview;
import org.mobilebnn.demo.camera.NetworkInput;
import org.mobilebnn.demo.camera.StillImage;
import org.mobilebnn.demo.network.LiveClassifier;
import org.mobilebnn.demo.view.AimView;
import org.mobilebnn.demo.view.Numbers;

/** The network names what the camera sees, or a picture from the gallery. */
public final class CameraScreen extends ClassifierScreen implements LivePreview.Listener {
    private static final int SHOWN_CLASSES = 3;
    private static final int LARGEST_PICTURE = 1280;

    /** Whether this session has asked for the camera: the first time it asks, later it explains. */
    private boolean asked;
    private Uri picture;
    private boolean frontWanted;
    private volatile boolean inverted;
    private Boolean invertedByUser;

    private View preview;
    private AimView aim;
    private LivePreview live;
    private volatile NetworkInput input;
    private FrameRate frameRate;

    /** The screen of an activity. */
    public CameraScreen(MainActivity activity) {
        super(activity);
    }

    @Override
    void create(Bundle state) {
        picture = state.getParcelable("picture");
        asked = state.getBoolean("asked");
        frontWanted = state.getBoolean("front");
        invertedByUser = state.containsKey("inverted") ? state.getBoolean("inverted") : null;
        build();
    }

    @Override
    public void save(Bundle state) {
        state.putParcelable("picture", picture);
        state.putBoolean("asked", asked);
        state.putBoolean("front", frontWanted);
        if (invertedByUser != null) {
            state.putBoolean("inverted", invertedByUser);
        }
    }

    private void build() {
        View view = build(R.layout.camera);
        preview = view.findViewById(R.id.preview);
        aim = view.findViewById(R.id.aim);
        view.findViewById(R.id.gallery).setOnClickListener(clicked -> activity.openPicture());
        view.findViewById(R.id.live).setOnClickListener(clicked -> goLive());
        view.findViewById(R.id.switch_camera).setOnClickListener(clicked -> switchCamera());
        view.findViewById(R.id.invert).setOnClickListener(clicked -> invert());
        bars.show(Collections.emptyList());
    }

    @Override
    public void start() {
        if (picture != null) {
            build();
            open();
            return;
        }
        if (CameraFeed.cameras(activity).isEmpty()) {
            showProblem(problem(R.string.error_no_camera_title, R.string.error_no_camera_text)
                    .action(activity.getString(R.string.camera_gallery), activity::openPicture));
        } else if (activity.mayUseCamera()) {
            build();
            open();
        } else if (!asked) {
            asked = true;
            activity.askForCamera();
        } else {
            showRefused();
        }
    }

    @Override
    public void stop() {
        if (live != null) {
            live.close();
            live = null;
        }
        super.stop();
    }

    private void restart() {
        stop();
        start();
    }

    private Problem problem(int title, int text) {
        return new Problem(R.drawable.ic_camera, activity.getString(title), activity.getString(text));
    }

    private void showRefused() {
        boolean mayAsk = activity.shouldShowRequestPermissionRationale(android.Manifest.permission.CAMERA);
        int label = mayAsk ? R.string.error_permission_action : R.string.error_permission_settings;
        Runnable does = mayAsk ? activity::askForCamera : this::openSettings;
        showProblem(problem(CameraFailure.REFUSED.title, CameraFailure.REFUSED.text)
                .action(activity.getString(label), does)
                .second(activity.getString(R.string.camera_gallery), activity::openPicture));
    }

    private void openSettings() {
        Uri app = Uri.fromParts("package", activity.getPackageName(), null);
        activity.startActivity(new Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, app));
    }

    @Override
    public void onPermission(boolean granted) {
        asked = true;
        if (granted) {
            restart();
        } else if (picture == null) {
            showRefused();
        }
    }

    @Override
    public void onResult(int request, Intent data) {
        picture = data.getData();
        invertedByUser = null;
        restart();
    }

    @Override
    public void onModelChosen() {
        invertedByUser = null;
        restart();
    }

    @Override
    public void onOpened(int height, int width, ModelMetadata metadata) {
        input = new NetworkInput(height, width, metadata);
        inverted = invertedByUser != null ? invertedByUser : input.usuallyInverted();
        showInverted();
        if (picture != null) {
            showPicture();
        } else {
            startCamera();
        }
    }

    private void showPicture() {
        show(R.id.live, true);
        show(R.id.switch_camera, false);
        preview.setVisibility(View.GONE);
        hint.setText(R.string.camera_aim);
        LiveClassifier from = running();
        Uri uri = picture;
        MainActivity host = activity;
        from.submit(() -> {
            try {
                Bitmap read = StillImage.read(host.getContentResolver(), uri, LARGEST_PICTURE);
                host.runOnUiThread(() -> showStill(from, read));
            } catch (IOException | OutOfMemoryError unreadable) {
                host.runOnUiThread(() -> showUnreadable(from));
            }
            return null;
        });
    }

    private void showStill(LiveClassifier from, Bitmap read) {
        if (running() != from) {
            return;
        }
        ImageView still = activity.findViewById(R.id.still);
        still.setImageBitmap(read);
        still.setVisibility(View.VISIBLE);
        // The picture fills its view as the camera's does; the network sees what is inside the frame.
        still.post(() -> nameStill(from, read));
    }

    private void nameStill(LiveClassifier from, Bitmap read) {
        if (running() != from) {
            return;
        }
        float scale = Math.max((float) aim.getWidth() / read.getWidth(), (float) aim.getHeight() / read.getHeight());
        int most = Math.min(read.getWidth(), read.getHeight());
        int side = Math.max(1, Math.min(most, Math.round(aim.side() / scale)));
        name(from, Bitmap.createBitmap(read, (read.getWidth() - side) / 2, (read.getHeight() - side) / 2, side, side));
    }

    private void name(LiveClassifier by, Bitmap square) {
        NetworkInput taken = input;
        boolean turned = inverted;
        by.submit(() -> taken.of(square, turned));
    }

    private void showUnreadable(LiveClassifier from) {
        if (running() != from) {
            return;
        }
        stop();
        picture = null;
        showProblem(problem(R.string.error_picture_title, R.string.error_picture_text)
                .action(activity.getString(R.string.camera_gallery), activity::openPicture)
                .second(activity.getString(R.string.error_back), this::restart));
    }

    private void goLive() {
        picture = null;
        restart();
    }

    private void switchCamera() {
        frontWanted = !frontWanted;
        restart();
    }

    private void invert() {
        inverted = !inverted;
        invertedByUser = inverted;
        showInverted();
        if (picture != null) {
            restart();
        }
    }

    private void showInverted() {
        activity.findViewById(R.id.invert).setSelected(inverted);
    }

    private void show(int id, boolean shown) {
        activity.findViewById(id).setVisibility(shown ? View.VISIBLE : View.GONE);
    }

    private void startCamera() {
        List<String> cameras = CameraFeed.cameras(activity);
        show(R.id.live, false);
        show(R.id.switch_camera, cameras.size() > 1);
        hint.setText(R.string.camera_starting);
        frameRate = new FrameRate();
        try {
            String id = cameras.get(frontWanted ? cameras.size() - 1 : 0);
            live = new LivePreview(activity, activity.findViewById(R.id.preview), aim, id, input.side(), this);
        } catch (CameraAccessException | RuntimeException unwilling) {
            onFailed(CameraFailure.of(unwilling));
        }
    }

    @Override
    public void onStarted() {
        hint.setText(R.string.camera_aim);
    }

    @Override
    public void onSquare(int[] pixels, int side) {
        LiveClassifier by = running();
        if (by != null) {
            name(by, Bitmap.createBitmap(pixels, side, side, Bitmap.Config.ARGB_8888));
        }
    }

    @Override
    public void onFailed(CameraFailure why) {
        stop();
        if (why == CameraFailure.REFUSED) {
            showRefused();
            return;
        }
        showProblem(problem(why.title, why.text)
                .action(activity.getString(R.string.error_try_again), this::restart)
                .second(activity.getString(R.string.camera_gallery), activity::openPicture));
    }

    @Override
    public void onNamed(Bitmap seen, List<Classification> classes, double milliseconds) {
        String speed = Numbers.latency(activity, milliseconds);
        if (picture == null) {
            double rate = frameRate.count(System.nanoTime());
            if (!Double.isNaN(rate)) {
                speed += "\n" + activity.getString(R.string.frame_rate, Numbers.significant(activity, rate));
            }
        }
        showPrediction(classes.get(0), speed);
        bars.show(classes.subList(0, Math.min(SHOWN_CLASSES, classes.size())));
    }
}
