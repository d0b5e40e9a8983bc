package org.mobilebnn.demo.screen;

import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.ImageView;
import android.widget.TextView;
import org.mobilebnn.demo.R;

/** Shows a problem in the place of what it keeps from being shown. */
final class MessageView {
    private MessageView() {}

    /** A view that says it. */
    static View of(ViewGroup parent, Problem problem) {
        View view = LayoutInflater.from(parent.getContext()).inflate(R.layout.message, parent, false);
        view.<ImageView>findViewById(R.id.message_icon).setImageResource(problem.icon);
        view.<TextView>findViewById(R.id.message_title).setText(problem.title);
        view.<TextView>findViewById(R.id.message_text).setText(problem.text);
        button(view.findViewById(R.id.message_action), problem.action, problem.onAction);
        button(view.findViewById(R.id.message_second), problem.second, problem.onSecond);
        return view;
    }

    private static void button(Button button, String label, Runnable does) {
        button.setVisibility(label == null ? View.GONE : View.VISIBLE);
        button.setText(label);
        button.setOnClickListener(clicked -> does.run());
    }
}
