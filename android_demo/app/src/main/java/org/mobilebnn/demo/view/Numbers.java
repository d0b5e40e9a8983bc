package org.mobilebnn.demo.view;

import android.content.Context;
import java.text.DateFormat;
import java.text.NumberFormat;
import java.util.Date;
import java.util.Locale;
import org.mobilebnn.demo.R;

/** Numbers and dates as people of the app's language write them. */
public final class Numbers {
    private Numbers() {}

    private static Locale language(Context context) {
        return context.getResources().getConfiguration().getLocales().get(0);
    }

    /** Three significant digits: 0.0123, 1.23, 12.3, 123. */
    public static String significant(Context context, double value) {
        double size = Math.abs(value);
        int decimals = size == 0 ? 0 : Math.max(0, 2 - (int) Math.floor(Math.log10(size)));
        return fixed(context, value, Math.min(decimals, 4));
    }

    /** So many decimals. */
    public static String fixed(Context context, double value, int decimals) {
        NumberFormat format = NumberFormat.getInstance(language(context));
        format.setMinimumFractionDigits(decimals);
        format.setMaximumFractionDigits(decimals);
        return format.format(value);
    }

    /** A share as whole percent. */
    public static String percent(Context context, double share) {
        return NumberFormat.getPercentInstance(language(context)).format(share);
    }

    /** One digit and the power of ten, which every language writes alike: 3e-7. */
    public static String scientific(double value) {
        return String.format(Locale.ROOT, "%.0e", value).replace("e-0", "e-");
    }

    /** A day and a time, to the minute. */
    public static String moment(Context context, Date when) {
        return DateFormat.getDateTimeInstance(DateFormat.MEDIUM, DateFormat.SHORT, language(context)).format(when);
    }

    /** So many milliseconds. */
    public static String latency(Context context, double milliseconds) {
        return context.getString(R.string.latency, significant(context, milliseconds));
    }
}
