package org.mobilebnn.demo.benchmark;

import android.app.ActivityManager;
import android.content.Context;
import android.os.Build;
import java.io.BufferedReader;
import java.io.FileReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What the phone is. */
public final class DeviceFacts {
    private static final String CPU = "/sys/devices/system/cpu/cpu";

    /** Maker and model. */
    public final String model = capitalized(Build.MANUFACTURER) + " " + Build.MODEL;
    /** Such as 14. */
    public final String android = Build.VERSION.RELEASE;
    /** Such as 34. */
    public final int api = Build.VERSION.SDK_INT;
    /** How many cores there are. */
    public final int cores = Runtime.getRuntime().availableProcessors();
    /** In bytes. */
    public final long memoryBytes;
    /** The name of the processor. */
    public final String processor;
    /** The highest clock of each core in MHz, by its number; empty where Android does not tell. */
    public final Map<Integer, Double> maxMhz = new TreeMap<>();
    /** The frequency governor of core 0, or "unknown". */
    public final String governor;
    /** Whether it is an emulator, whose times say nothing. */
    public final boolean emulated;

    /** The facts of this phone. */
    public DeviceFacts(Context context) {
        ActivityManager.MemoryInfo memory = new ActivityManager.MemoryInfo();
        context.getSystemService(ActivityManager.class).getMemoryInfo(memory);
        memoryBytes = memory.totalMem;
        processor = processor();
        for (int i = 0; i < cores; i++) {
            String line = firstLine(CPU + i + "/cpufreq/cpuinfo_max_freq");
            if (line != null && line.trim().matches("[0-9]{1,9}")) {
                maxMhz.put(i, Integer.parseInt(line.trim()) / 1000.0);
            }
        }
        String told = firstLine(CPU + "0/cpufreq/scaling_governor");
        governor = told == null ? "unknown" : told.trim();
        emulated = Build.FINGERPRINT.contains("generic") || Build.HARDWARE.contains("ranchu")
                || "robolectric".equals(Build.FINGERPRINT);
    }

    /** The highest clock of any core in GHz; 0 where Android does not tell. */
    public double fastestGhz() {
        return maxMhz.isEmpty() ? 0 : Collections.max(maxMhz.values()) / 1000;
    }

    /** The different clocks, the fastest first. */
    public List<Double> clocks() {
        List<Double> clocks = new ArrayList<>(new TreeSet<>(maxMhz.values()));
        Collections.reverse(clocks);
        return clocks;
    }

    /** The most memory that this process had, in bytes; 0 where the system does not tell. */
    public static long peakMemoryBytes() {
        try (BufferedReader reader = new BufferedReader(new FileReader("/proc/self/status"))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.matches("VmHWM:\\s*[0-9]{1,12} kB")) {
                    return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
                }
            }
        } catch (IOException | SecurityException hidden) {
            return 0;
        }
        return 0;
    }

    private static String processor() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            return Build.SOC_MANUFACTURER + " " + Build.SOC_MODEL;
        }
        return Build.HARDWARE;
    }

    private static String capitalized(String text) {
        return text.isEmpty() ? text : text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }

    /** The first line of a file of the system's; null where the app may not read it. */
    static String firstLine(String path) {
        try (BufferedReader reader = new BufferedReader(new FileReader(path))) {
            return reader.readLine();
        } catch (IOException | SecurityException hidden) {
            return null;
        }
    }
}
