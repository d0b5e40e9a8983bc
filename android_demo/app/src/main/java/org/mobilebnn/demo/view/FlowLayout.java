package org.mobilebnn.demo.view;

import android.content.Context;
import android.util.AttributeSet;
import android.view.View;
import android.view.ViewGroup;
import org.mobilebnn.demo.R;

/** Lays its children in a row, and in another below where they do not fit. */
public final class FlowLayout extends ViewGroup {
    private final int gap;

    /** As the layout inflater makes it. */
    public FlowLayout(Context context, AttributeSet attributes) {
        super(context, attributes);
        gap = getResources().getDimensionPixelSize(R.dimen.gap);
    }

    @Override
    protected void onMeasure(int widthSpec, int heightSpec) {
        int width = MeasureSpec.getSize(widthSpec);
        for (int i = 0; i < getChildCount(); i++) {
            int most = MeasureSpec.makeMeasureSpec(width, MeasureSpec.AT_MOST);
            getChildAt(i).measure(most, MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED));
        }
        setMeasuredDimension(width, place(width, false));
    }

    @Override
    protected void onLayout(boolean changed, int left, int top, int right, int bottom) {
        place(right - left, true);
    }

    /** Returns the height; moves the children there where they are laid out. */
    private int place(int width, boolean layOut) {
        boolean rightToLeft = getLayoutDirection() == LAYOUT_DIRECTION_RTL;
        int x = 0;
        int y = 0;
        int row = 0;
        for (int i = 0; i < getChildCount(); i++) {
            View child = getChildAt(i);
            if (x > 0 && x + child.getMeasuredWidth() > width) {
                x = 0;
                y += row;
                row = 0;
            }
            if (layOut) {
                int start = rightToLeft ? width - x - child.getMeasuredWidth() : x;
                child.layout(start, y, start + child.getMeasuredWidth(), y + child.getMeasuredHeight());
            }
            x += child.getMeasuredWidth() + gap;
            row = Math.max(row, child.getMeasuredHeight());
        }
        return y + row;
    }
}
