package org.mobilebnn.demo.screen;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.SurfaceTexture;
import android.hardware.camera2.CameraAccessException;
import android.net.Uri;
import android.os.Bundle;
import android.provider.Settings;
import android.view.TextureView;
import android.view.View;
import android.widget.ImageView;
import android.widget.TextView;
import java.io.IOException;
import java.text.NumberFormat;
import java.util.Collections;
import java.util.List;
import org.mobilebnn.Classification;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.demo.MainActivity;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.camera.CameraFeed;
import org.mobilebnn.demo.camera.FrameConverter;
import org.mobilebnn.demo.camera.InkPicture;
import org.mobilebnn.demo.camera.NetworkPicture;
import org.mobilebnn.demo.camera.Orientation;
import org.mobilebnn.demo.camera.StillImage;
import org.mobilebnn.demo.draw.DrawStyle;
import org.mobilebnn.demo.network.LiveClassifier;
import org.mobilebnn.demo.network.ModelEntry;
import org.mobilebnn.demo.view.AimView;
import org.mobilebnn.demo.view.BarsView;

/** The network names what the camera sees, or a picture from the gallery. */
public final class CameraScreen extends Screen
        implements LiveClassifier.Listener, CameraFeed.Listener, TextureView.SurfaceTextureListener {
    private static final int SHOWN_CLASSES = 3;
    private static final int LARGEST_PICTURE = 1280;
    private static final String IMAGE_FOLDER = "image_folder:";
    private static final long SECOND_NS = 1_000_000_000L;

    /** Whether this session has asked for the camera: the first time it asks, later it explains. */
    private boolean asked;
    private Uri picture;
    private boolean frontWanted;
    private volatile boolean inverted;
    private Boolean invertedByUser;

    private LiveClassifier classifier;
    private CameraFeed feed;
    private TextureView preview;
    private AimView aim;
    private BarsView bars;
    private TextView prediction;
    private TextView latency;
    private TextView hint;
    private volatile int height;
    private volatile int width;
    private volatile DrawStyle style;
    private volatile boolean digits;
    private volatile float crop;
    private volatile int rotation;
    private int framesThisSecond;
    private long secondBegan;
    private double rate;

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
        View view = inflate(R.layout.camera);
        preview = view.findViewById(R.id.preview);
        aim = view.findViewById(R.id.aim);
        bars = view.findViewById(R.id.bars);
        prediction = view.findViewById(R.id.prediction);
        latency = view.findViewById(R.id.latency);
        hint = view.findViewById(R.id.hint);
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
        stopCamera();
        if (classifier != null) {
            classifier.close();
            classifier = null;
        }
    }

    private void stopCamera() {
        if (feed != null) {
            feed.close();
            feed = null;
        }
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
        showProblem(problem(R.string.error_permission_title, R.string.error_permission_text)
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

    private void open() {
        ModelEntry entry = activity.store().chosen();
        if (entry == null) {
            showProblem(Problem.noModel(activity).action(activity.getString(R.string.open_file), activity::openFile));
            return;
        }
        classifier = new LiveClassifier(activity.store(), activity.opener(), entry, this);
    }

    @Override
    public void onOpened(int newHeight, int newWidth, ModelMetadata metadata) {
        // Tests after training crop the images of a folder once more, so they must be larger by as much.
        boolean folder = metadata.dataset != null && metadata.dataset.startsWith(IMAGE_FOLDER);
        height = folder ? newHeight * 8 / 7 : newHeight;
        width = folder ? newWidth * 8 / 7 : newWidth;
        // Networks of white strokes on black are shown dark ink on paper.
        style = DrawStyle.of(metadata.dataset);
        digits = style.subject == DrawStyle.Subject.DIGIT;
        inverted = invertedByUser != null ? invertedByUser : !style.darkOnLight;
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
        LiveClassifier running = classifier;
        Uri uri = picture;
        Activity host = activity;
        running.submit(() -> {
            try {
                Bitmap read = StillImage.read(host.getContentResolver(), uri, LARGEST_PICTURE);
                host.runOnUiThread(() -> showStill(running, read));
            } catch (IOException | OutOfMemoryError unreadable) {
                host.runOnUiThread(() -> showUnreadable(running));
            }
            return null;
        });
    }

    private void showStill(LiveClassifier from, Bitmap read) {
        if (classifier != from) {
            return;
        }
        ImageView still = activity.findViewById(R.id.still);
        still.setImageBitmap(read);
        still.setVisibility(View.VISIBLE);
        // The picture fills its view as the camera's does; the network sees what is inside the frame.
        still.post(() -> nameStill(from, read));
    }

    private void nameStill(LiveClassifier from, Bitmap read) {
        if (classifier != from) {
            return;
        }
        boolean turned = inverted;
        float scale = Math.max((float) aim.getWidth() / read.getWidth(), (float) aim.getHeight() / read.getHeight());
        int most = Math.min(read.getWidth(), read.getHeight());
        int side = Math.max(1, Math.min(most, Math.round(aim.side() / scale)));
        Bitmap middle = Bitmap.createBitmap(
                read, (read.getWidth() - side) / 2, (read.getHeight() - side) / 2, side, side);
        from.submit(() -> seen(middle, turned));
    }

    private void showUnreadable(LiveClassifier from) {
        if (classifier != from) {
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
        View button = activity.findViewById(R.id.invert);
        button.setSelected(inverted);
    }

    private void show(int id, boolean shown) {
        activity.findViewById(id).setVisibility(shown ? View.VISIBLE : View.GONE);
    }

    private void startCamera() {
        show(R.id.live, false);
        List<String> cameras = CameraFeed.cameras(activity);
        show(R.id.switch_camera, cameras.size() > 1);
        hint.setText(R.string.camera_starting);
        try {
            feed = new CameraFeed(activity, wanted(cameras), this);
        } catch (CameraAccessException | RuntimeException unwilling) {
            onFailed();
            return;
        }
        preview.setSurfaceTextureListener(this);
        if (preview.isAvailable()) {
            onSurfaceTextureAvailable(preview.getSurfaceTexture(), preview.getWidth(), preview.getHeight());
        }
    }

    private String wanted(List<String> cameras) {
        return cameras.get(frontWanted ? cameras.size() - 1 : 0);
    }

    @Override
    public void onSurfaceTextureAvailable(SurfaceTexture texture, int viewWidth, int viewHeight) {
        if (feed != null) {
            place(viewWidth, viewHeight);
            feed.start(texture);
        }
    }

    @Override
    public void onSurfaceTextureSizeChanged(SurfaceTexture texture, int viewWidth, int viewHeight) {
        place(viewWidth, viewHeight);
    }

    private void place(int viewWidth, int viewHeight) {
        if (feed == null) {
            return;
        }
        int display = 90 * activity.getWindowManager().getDefaultDisplay().getRotation();
        int across = feed.preview.getWidth();
        int down = feed.preview.getHeight();
        int sensor = feed.sensorOrientation;
        preview.setTransform(Orientation.ofPreview(viewWidth, viewHeight, across, down, sensor, display));
        rotation = Orientation.ofFrame(sensor, display, feed.front);
        crop = aim.side() / Orientation.scale(viewWidth, viewHeight, across, down, sensor, display) / across;
    }

    @Override
    public boolean onSurfaceTextureDestroyed(SurfaceTexture texture) {
        stopCamera();
        return true;
    }

    @Override
    public void onSurfaceTextureUpdated(SurfaceTexture texture) {}

    @Override
    public void onStarted() {
        hint.setText(R.string.camera_aim);
    }

    @Override
    public void onFrame(FrameConverter.Frame frame) {
        LiveClassifier running = classifier;
        CameraFeed from = feed;
        if (running == null || from == null || width == 0) {
            return;
        }
        int side = digits ? InkPicture.SIDE : Math.max(width, height);
        int[] pixels = FrameConverter.upright(frame, crop * frame.width(), rotation, false, side);
        boolean turned = inverted;
        running.submit(() -> seen(Bitmap.createBitmap(pixels, side, side, Bitmap.Config.ARGB_8888), turned));
    }

    /** What the network sees of a square. */
    private Bitmap seen(Bitmap square, boolean turned) {
        if (!digits) {
            return NetworkPicture.of(square, width, height, turned);
        }
        Bitmap small = NetworkPicture.of(square, InkPicture.SIDE, InkPicture.SIDE, false);
        return InkPicture.of(small, width, height, turned, style.extent);
    }

    @Override
    public void onFailed() {
        stop();
        showProblem(problem(R.string.error_camera_title, R.string.error_camera_text)
                .action(activity.getString(R.string.error_try_again), this::restart)
                .second(activity.getString(R.string.camera_gallery), activity::openPicture));
    }

    @Override
    public void onNamed(Bitmap seen, List<Classification> classes, double milliseconds) {
        Classification best = classes.get(0);
        String share = NumberFormat.getPercentInstance().format(best.score);
        prediction.setText(best.label);
        prediction.setContentDescription(activity.getString(R.string.prediction_spoken, best.label, share));
        bars.show(classes.subList(0, Math.min(SHOWN_CLASSES, classes.size())));
        String text = Numbers.latency(activity, milliseconds);
        if (picture == null) {
            countFrame();
            text += "\n" + activity.getString(R.string.frame_rate, Numbers.significant(rate));
        }
        latency.setText(text);
    }

    private void countFrame() {
        long now = System.nanoTime();
        framesThisSecond++;
        if (now - secondBegan >= SECOND_NS) {
            rate = secondBegan == 0 ? 0 : framesThisSecond * (double) SECOND_NS / (now - secondBegan);
            framesThisSecond = 0;
            secondBegan = now;
        }
    }

    @Override
    public void onFailed(Throwable why) {
        stop();
        showProblem(activity.problemOfChosen(why));
    }
}
