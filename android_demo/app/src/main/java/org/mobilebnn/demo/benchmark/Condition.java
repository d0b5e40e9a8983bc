package org.mobilebnn.demo.benchmark;

import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.os.BatteryManager;
import android.os.Build;
import android.os.PowerManager;
import java.io.Serializable;

/** What may slow the phone down, at one moment. */
public final class Condition implements Serializable {
    /** What Android does not tell. */
    public static final int UNKNOWN = -1;

    /** Android's thermal status, 0 (none) to 6 (shutdown), or {@link #UNKNOWN} below Android 10. */
    public final int thermalStatus;
    /** Of the battery, 0 to 100, or {@link #UNKNOWN}. */
    public final int batteryPercent;
    /** Of the battery in degrees Celsius; NaN where Android does not tell. */
    public final double batteryC;
    /** Whether it is being charged. */
    public final boolean charging;

    private Condition(int thermalStatus, int batteryPercent, double batteryC, boolean charging) {
        this.thermalStatus = thermalStatus;
        this.batteryPercent = batteryPercent;
        this.batteryC = batteryC;
        this.charging = charging;
    }

    /** The phone's condition now. */
    public static Condition now(Context context) {
        int thermal = UNKNOWN;
        PowerManager power = context.getSystemService(PowerManager.class);
        if (power != null && Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            thermal = power.getCurrentThermalStatus();
        }
        Intent battery = context.registerReceiver(null, new IntentFilter(Intent.ACTION_BATTERY_CHANGED));
        if (battery == null) {
            return new Condition(thermal, UNKNOWN, Double.NaN, false);
        }
        int level = battery.getIntExtra(BatteryManager.EXTRA_LEVEL, UNKNOWN);
        int scale = battery.getIntExtra(BatteryManager.EXTRA_SCALE, 100);
        int tenths = battery.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, Integer.MIN_VALUE);
        boolean charging = battery.getIntExtra(BatteryManager.EXTRA_PLUGGED, 0) != 0;
        int percent = level < 0 || scale <= 0 ? UNKNOWN : Math.round(100f * level / scale);
        return new Condition(thermal, percent, tenths == Integer.MIN_VALUE ? Double.NaN : tenths / 10.0, charging);
    }

    /** Whether Android slows the processor down for heat. */
    public boolean throttled() {
        return thermalStatus >= 3; // PowerManager.THERMAL_STATUS_SEVERE
    }
}
