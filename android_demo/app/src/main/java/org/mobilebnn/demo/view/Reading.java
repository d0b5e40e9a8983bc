package org.mobilebnn.demo.view;

import android.graphics.Canvas;
import android.graphics.Paint;
import android.view.View;

/** Draws in the direction in which the phone's language is read: distances are from where a line begins. */
final class Reading {
    private final Canvas canvas;
    private final boolean rightToLeft;
    private final float width;

    Reading(View view, Canvas canvas) {
        this.canvas = canvas;
        rightToLeft = view.getLayoutDirection() == View.LAYOUT_DIRECTION_RTL;
        width = view.getWidth();
    }

    private float x(float distance) {
        return rightToLeft ? width - distance : distance;
    }

    /** A text that begins there. */
    void textFrom(float distance, float baseline, String text, Paint paint) {
        paint.setTextAlign(rightToLeft ? Paint.Align.RIGHT : Paint.Align.LEFT);
        canvas.drawText(text, x(distance), baseline, paint);
    }

    /** A text that ends there. */
    void textTo(float distance, float baseline, String text, Paint paint) {
        paint.setTextAlign(rightToLeft ? Paint.Align.LEFT : Paint.Align.RIGHT);
        canvas.drawText(text, x(distance), baseline, paint);
    }

    /** A rectangle with round corners between two distances. */
    void bar(float from, float to, float top, float height, float radius, Paint paint) {
        canvas.drawRoundRect(
                Math.min(x(from), x(to)), top, Math.max(x(from), x(to)), top + height, radius, radius, paint);
    }

    /** A line between two points. */
    void line(float from, float fromY, float to, float toY, Paint paint) {
        canvas.drawLine(x(from), fromY, x(to), toY, paint);
    }
}
