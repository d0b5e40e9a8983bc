package org.mobilebnn.demo.screen;

import android.view.View;
import android.widget.TextView;
import org.mobilebnn.Classification;
import org.mobilebnn.demo.MainActivity;
import org.mobilebnn.demo.R;
import org.mobilebnn.demo.network.LiveClassifier;
import org.mobilebnn.demo.network.ModelEntry;
import org.mobilebnn.demo.view.BarsView;
import org.mobilebnn.demo.view.Numbers;

/** A screen on which the chosen network names pictures: opens it, shows the best class, says why it does not run. */
abstract class ClassifierScreen extends Screen implements LiveClassifier.Listener {
    /** The bars of the classes. */
    BarsView bars;
    /** What to do, on the picture. */
    TextView hint;

    private volatile LiveClassifier classifier; // frames come on the camera's thread
    private TextView prediction;
    private TextView latency;

    ClassifierScreen(MainActivity activity) {
        super(activity);
    }

    /** Puts a layout into the screen that has the views of a result. */
    final View build(int layout) {
        View view = inflate(layout);
        bars = view.findViewById(R.id.bars);
        hint = view.findViewById(R.id.hint);
        prediction = view.findViewById(R.id.prediction);
        latency = view.findViewById(R.id.latency);
        showNoPrediction();
        return view;
    }

    /** Opens the chosen network in the background. */
    final void open() {
        ModelEntry entry = activity.store().chosen();
        if (entry == null) {
            showProblem(Problem.noModel(activity).action(activity.getString(R.string.open_file), activity::openFile));
            return;
        }
        classifier = new LiveClassifier(activity.store(), activity.opener(), entry, this);
    }

    /** Closes the network. */
    @Override
    public void stop() {
        LiveClassifier running = classifier;
        classifier = null;
        if (running != null) {
            running.close();
        }
    }

    /** The network that runs; null for none. From any thread. */
    final LiveClassifier running() {
        return classifier;
    }

    /** Nothing is named yet. */
    final void showNoPrediction() {
        prediction.setText("");
        prediction.setContentDescription(activity.getString(R.string.prediction_none));
        latency.setText("");
    }

    /** Shows the best class. */
    final void showPrediction(Classification best, String speed) {
        String share = Numbers.percent(activity, best.score);
        prediction.setText(best.label);
        prediction.setContentDescription(activity.getString(R.string.prediction_spoken, best.label, share));
        latency.setText(speed);
    }

    @Override
    public void onFailed(Throwable why) {
        stop();
        showProblem(activity.problemOfChosen(why));
    }
}
