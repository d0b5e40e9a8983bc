package org.mobilebnn.demo.view;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Path;
import android.util.AttributeSet;
import android.widget.FrameLayout;
import org.mobilebnn.demo.R;

/** A frame whose corners are round, whatever it holds. */
public final class RoundedLayout extends FrameLayout {
    private final Path shape = new Path();

    /** As the layout inflater makes it. */
    public RoundedLayout(Context context, AttributeSet attributes) {
        super(context, attributes);
    }

    @Override
    protected void onSizeChanged(int width, int height, int oldWidth, int oldHeight) {
        super.onSizeChanged(width, height, oldWidth, oldHeight);
        float radius = getResources().getDimension(R.dimen.radius);
        shape.reset();
        shape.addRoundRect(0, 0, width, height, radius, radius, Path.Direction.CW);
    }

    @Override
    protected void dispatchDraw(Canvas canvas) {
        int saved = canvas.save();
        canvas.clipPath(shape);
        super.dispatchDraw(canvas);
        canvas.restoreToCount(saved);
    }
}
