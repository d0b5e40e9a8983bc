package org.mobilebnn.demo.view;

import android.content.Context;
import android.util.AttributeSet;
import android.widget.FrameLayout;

/** A frame as large as fits, and as high as it is wide. */
public final class SquareLayout extends FrameLayout {
    /** As the layout inflater makes it. */
    public SquareLayout(Context context, AttributeSet attributes) {
        super(context, attributes);
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        int side = Math.min(bound(widthSpec), bound(heightSpec));
        int exact = MeasureSpec.makeMeasureSpec(side, MeasureSpec.EXACTLY);
        super.onMeasure(exact, exact);
    }

    private static int bound(int spec) {
        return MeasureSpec.getMode(spec) == MeasureSpec.UNSPECIFIED ? Integer.MAX_VALUE >> 2 : MeasureSpec.getSize(spec);
    }
}
