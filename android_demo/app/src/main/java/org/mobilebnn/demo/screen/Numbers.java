package org.mobilebnn.demo.screen;

import android.content.Context;
import java.text.NumberFormat;
import java.util.Locale;
import org.mobilebnn.demo.R;

/** Numbers as people of the phone's language write them. */
final class Numbers {
    private Numbers() {}

    /** Three significant digits: 0.0123, 1.23, 12.3, 123. */
    static String significant(double value) {
        double size = Math.abs(value);
        int decimals = size == 0 ? 0 : Math.max(0, 2 - (int) Math.floor(Math.log10(size)));
        NumberFormat format = NumberFormat.getInstance();
        format.setMinimumFractionDigits(Math.min(decimals, 4));
        format.setMaximumFractionDigits(Math.min(decimals, 4));
        return format.format(value);
    }

    /** One digit and the power of ten, which every language writes alike: 3e-7. */
    static String scientific(double value) {
        return String.format(Locale.ROOT, "%.0e", value).replace("e-0", "e-");
    }

    /** So many milliseconds. */
    static String latency(Context context, double milliseconds) {
        return context.getString(R.string.latency, significant(milliseconds));
    }
}
