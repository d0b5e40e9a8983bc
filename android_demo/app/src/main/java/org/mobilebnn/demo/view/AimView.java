package org.mobilebnn.demo.view;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Path;
import android.util.AttributeSet;
import android.view.View;
import org.mobilebnn.demo.R;

/** A square over the camera's picture: the network sees what is inside, and the rest is dimmed. */
public final class AimView extends View {
    /** The square's side, as a share of the view's shorter side. */
    public static final float SHARE = 0.72f;

    private final Paint dim = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Path outside = new Path();
    private final float dp;

    /** As the layout inflater makes it. */
    public AimView(Context context, AttributeSet attributes) {
        super(context, attributes);
        dp = context.getResources().getDisplayMetrics().density;
        dim.setColor(0x73000000); // over a picture, whatever the theme
        line.setColor(context.getColor(R.color.aim));
        line.setStyle(Paint.Style.STROKE);
        line.setStrokeWidth(3 * dp);
    }

    /** The side of the square in pixels of the view. */
    public float side() {
        return SHARE * Math.min(getWidth(), getHeight());
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        float half = side() / 2;
        float x = getWidth() / 2f;
        float y = getHeight() / 2f;
        float radius = 16 * dp;
        outside.reset();
        outside.setFillType(Path.FillType.EVEN_ODD);
        outside.addRect(0, 0, getWidth(), getHeight(), Path.Direction.CW);
        outside.addRoundRect(x - half, y - half, x + half, y + half, radius, radius, Path.Direction.CW);
        canvas.drawPath(outside, dim);
        canvas.drawRoundRect(x - half, y - half, x + half, y + half, radius, radius, line);
    }
}
